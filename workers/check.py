"""Tries a model repository out: loads every folder and runs every offered method once, as a job would."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from schemas.errors import JobError
from schemas.jobs import JobSpec
from schemas.methods import METHODS, AnyMethod, Grid, stored_fields
from schemas.models import ModelCard
from workers.engine.gate import DeviceGate
from workers.engine.task import Task
from workers.explain import explain
from workers.problem import make_problem
from workers.resident import Device, ResidentModel, load_all
from workers.settings import WorkerSettings

MANY_ELEMENTS = 1_024  # an example larger than this is ablated by coarse windows
WINDOWS_A_SIDE = 4


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One line of the report. `method` is empty for a model that failed to load."""

    model: str
    method: str
    ok: bool
    detail: str
    rows: int = 0
    seconds: float = 0.0


def check(directories: list[Path]) -> Iterator[CheckRow]:
    """Checks every model of the directories on this machine's device."""
    settings = WorkerSettings(models=directories)
    device = Device(settings.torch_device(), settings.threads, settings.rows(), DeviceGate())
    for loaded in load_all(directories, device):
        if isinstance(loaded, ModelCard):
            yield CheckRow(f"{loaded.name}@{loaded.version}", "", False, loaded.error or "failed to load")
            continue
        loaded.engine.start()
        try:
            for support in loaded.card.methods:
                if support.supported:
                    yield _try(loaded, support.name)
                else:
                    yield CheckRow(loaded.key, support.name, True, f"not offered: {support.reason}")
        finally:
            loaded.engine.stop()


def _try(model: ResidentModel, name: str) -> CheckRow:
    """Runs one method on the adapter's sample, in the calling thread."""
    method = _method(model, name)
    if method is None:
        return CheckRow(model.key, name, True, "not tried: no default layer")
    task = Task(name)
    started = perf_counter()
    try:
        prepared = model.adapter.sample(model.engine.view.device)
        spec = JobSpec(
            model=model.card.name,
            version=model.card.version,
            input_kind="tensor",
            examples=1,
            method=stored_fields(method),
        )
        problem = make_problem(model, spec, method, {}, prepared)
        explain(model.engine, task, method, problem)
    except JobError as error:
        return CheckRow(model.key, name, False, error.detail, task.rows, perf_counter() - started)
    except Exception as error:  # Captum asserts, and raises what it likes: all of it is the report's business
        detail = f"{type(error).__name__}: {error}"[:300]
        return CheckRow(model.key, name, False, detail, task.rows, perf_counter() - started)
    return CheckRow(model.key, name, True, "works", task.rows, perf_counter() - started)


def _method(model: ResidentModel, name: str) -> AnyMethod | None:
    """The method with its defaults, and with windows that keep the check short; None without the layer it needs."""
    cls = METHODS[name]
    layer = model.card.defaults.layer if model.card.defaults else None
    if "layer" in cls.model_fields:
        return cls(layer=layer) if layer else None  # type: ignore[call-arg]
    shape = model.card.input.shapes[0] if model.card.input else []
    image = model.config.input.kind == "image"
    if name == "occlusion":
        coarse = math.prod(shape) > MANY_ELEMENTS
        window = [max(1, s // WINDOWS_A_SIDE) if coarse else 1 for s in shape]
        return METHODS[name](sliding_window_shapes=[shape[0], *window[1:]] if image else window)  # type: ignore[call-arg]
    if name == "feature_ablation" and image:
        return METHODS[name](feature_mask=Grid(grid=[WINDOWS_A_SIDE] * 2))  # type: ignore[call-arg]
    return cls()
