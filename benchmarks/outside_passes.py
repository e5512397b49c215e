"""How much of a perturbation method's run is not passes: drawing, making rows, adding up.

One job has the worker's engine to itself, with all cores for passes and one for the job, as `attribution worker` gives
them. A run is the method alone, from inputs on the device to attributions; decoding and describing are measured by
`latency`. The share is counted twice:

- by the clock: 1 - (seconds that passes had the device) / (seconds of the run);
- on a CPU also by CPU seconds, which other processes on the machine hardly change: those outside passes, over the same
  plus those of passes divided by their threads.
"""

import json
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median
from time import perf_counter, process_time
from typing import Any, TypeVar

import torch
from torch import Tensor

from benchmarks.ceiling import MODEL, ROOT, TABLE
from benchmarks.machine import device
from schemas import methods as spec
from schemas.jobs import JobSpec
from schemas.methods import AnyMethod, stored_fields
from schemas.picture_view import PictureView
from service.pictures.decode import model_pixels
from workers.engine.device.gate import DeviceGate
from workers.engine.device.pass_device import L, PendingPass
from workers.engine.device.threads import use_threads
from workers.engine.task import Task
from workers.jobs.prepare import make_explain_inputs
from workers.methods.explain import explain
from workers.methods.explain_inputs import ExplainInputs
from workers.models.pipeline import load_model
from workers.models.resident import Device, ResidentModel

TEXTS = "minilm-sentiment"
T = TypeVar("T")
SEED = 7
SENTENCE = "a bad film"  # five tokens with the special ones: every order of them fits into a job
GRID, REGIONS, FEW = spec.Grid(grid=[3, 3]), spec.Superpixels(superpixels=16), spec.Grid(grid=[2, 2])
FEW_REGIONS = spec.Superpixels(superpixels=8)
MANY: Any = {"grid": spec.Grid(grid=[7, 7]), "superpixels": spec.Superpixels(superpixels=50)}

Cases = dict[str, dict[str, AnyMethod]]  # by what the features are, and by method


class CountingGate(DeviceGate):
    """A gate that adds up the CPU seconds of the process while passes have the device."""

    def __init__(self) -> None:
        super().__init__()
        self.cpu_s = 0.0

    def run(self, work: Callable[[], T], threads: int | None) -> T:
        return super().run(partial(self._counted, work), threads)

    def submit(self, launch: Callable[[], L], threads: int | None) -> PendingPass[L]:
        return super().submit(partial(self._counted, launch), threads)

    def _counted(self, work: Callable[[], T]) -> T:
        began_s = process_time()
        try:
            return work()
        finally:
            self.cpu_s += process_time() - began_s


@dataclass(frozen=True, slots=True)
class Run:
    """One job: seconds by the clock, CPU seconds of the process, each in all and of passes, and rows."""

    wall_s: float
    passes_s: float
    cpu_s: float
    passes_cpu_s: float
    rows: int

    @property
    def outside(self) -> float:
        """The share outside passes by the clock."""
        return 1 - self.passes_s / self.wall_s

    def outside_by_cpu(self, threads: int) -> float:
        """The share outside passes by CPU seconds."""
        outside_s = self.cpu_s - self.passes_cpu_s
        return outside_s / (outside_s + self.passes_cpu_s / threads)


def cases() -> dict[str, Cases]:
    """The jobs by model."""
    return {
        MODEL: {
            "grid": _pictures(GRID, FEW, MANY["grid"]),
            "superpixels": _pictures(REGIONS, FEW_REGIONS, MANY["superpixels"]),
        },
        TEXTS: {"words": _features("words", "words", "words", spec.Occlusion(sliding_window_shapes=[2], strides=[1]))},
        TABLE: {"columns": _features(None, None, None, spec.Occlusion(sliding_window_shapes=[3], strides=[1]))},
    }


def _pictures(some: Any, few: Any, many: Any) -> dict[str, AnyMethod]:
    return _features(some, few, many, spec.Occlusion(sliding_window_shapes=[3, 32, 32], strides=[3, 32, 32]))


def _features(some: Any, few: Any, many: Any, occlusion: AnyMethod) -> dict[str, AnyMethod]:
    found: list[AnyMethod] = [
        spec.ShapleyValueSampling(feature_mask=some),
        spec.ShapleyValues(feature_mask=few),
        spec.KernelShap(feature_mask=some, n_samples=100),
        spec.Lime(feature_mask=some, n_samples=100),
        spec.FeatureAblation(feature_mask=many),
        occlusion,
    ]
    return {method.name: method for method in found}


def measure(repeats: int) -> dict[str, Any]:
    """The median share of `repeats` runs of every case, by model, features and method; the content of
    `outside-passes.json`."""
    load_before = os.getloadavg()
    place = device()
    found: dict[str, Any] = {}
    for name, by_features in cases().items():
        gate = CountingGate()
        model = load_model(ROOT / "models" / name, Device(place, torch.get_num_threads(), None, gate))
        model.engine.start()
        for method in (spec.KernelShap(n_samples=4), spec.Lime(n_samples=4)):  # their first calls import scikit-learn
            _run(model, gate, method, _subject(model, method))
        found[name] = {
            features: {
                method.name: _measured(model, gate, method, repeats)
                for method in methods.values()
                if not (method.name == "shapley_values" and name == TABLE)  # 30 columns have too many coalitions
            }
            for features, methods in by_features.items()
        }
        model.engine.stop()
    counted = [
        one["outside"] for name in (MODEL, TEXTS) for methods in found[name].values() for one in methods.values()
    ]
    return {
        "repeats": repeats,
        "load_average": [load_before[0], os.getloadavg()[0]],
        "largest": 100 * max(counted),
        "models": found,
    }


def _measured(model: ResidentModel, gate: CountingGate, method: AnyMethod, repeats: int) -> dict[str, Any]:
    subject = _subject(model, method)
    runs = [_run(model, gate, method, subject) for _ in range(repeats)]
    shown = {
        "outside": median(run.outside for run in runs),
        "wall_s": median(run.wall_s for run in runs),
        "passes_s": median(run.passes_s for run in runs),
        "outside_by_cpu": median(run.outside_by_cpu(torch.get_num_threads()) for run in runs),
        "rows": runs[0].rows,
    }
    print(f"  {model.card.name} {method.name} {shown}", flush=True)
    return shown


def _run(model: ResidentModel, gate: CountingGate, method: AnyMethod, subject: ExplainInputs) -> Run:
    """One job in a thread of its own, as a worker runs it."""
    found: list[Run] = []

    def job() -> None:
        use_threads(1)
        task = Task("measured")
        before = perf_counter(), gate.busy_s(), process_time(), gate.cpu_s
        explain(model.engine, task, method, subject, SEED)
        after = perf_counter(), gate.busy_s(), process_time(), gate.cpu_s
        wall_s, passes_s, cpu_s, passes_cpu_s = (b - a for a, b in zip(before, after, strict=True))
        found.append(Run(wall_s, passes_s, cpu_s, passes_cpu_s, task.rows))

    thread = threading.Thread(target=job)
    thread.start()
    thread.join()
    if not found:
        raise RuntimeError(f"{method.name} failed")
    return found[0]


def _subject(model: ResidentModel, method: AnyMethod) -> ExplainInputs:
    """The model's sample as the inputs of the method; a short sentence where every order of its words counts."""
    payload = _payload(model, short=method.name == "shapley_values")
    job = JobSpec(
        model=model.card.name,
        version="1",
        input_kind="tensor",
        examples=1,
        method=stored_fields(method),
        target=[1],
    )
    return make_explain_inputs(model, job, method, payload, model.adapter.prepare(payload, model.engine.view.device))


def _payload(model: ResidentModel, *, short: bool) -> dict[str, Tensor]:
    sample, card = ROOT / "models" / model.card.name / (model.config.sample or ""), model.adapter.card
    if card.kind == "tabular":
        row = json.loads(sample.read_text())
        columns = [feature.name for feature in card.features or []]
        return {"features": torch.tensor([[row[column] for column in columns]], dtype=torch.float64)}
    if card.kind == "image":
        pixels, _ = model_pixels(sample.read_bytes(), PictureView.of(card))
        return {"pixels": torch.from_numpy(pixels)}
    text = SENTENCE if short else sample.read_text()
    return {"text": torch.frombuffer(bytearray(text.encode()), dtype=torch.uint8)}
