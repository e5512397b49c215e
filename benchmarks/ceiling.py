"""Ceilings: the seconds per row that this device needs at least, in bare loops with nothing else running.

Rows have four classes: `forward`, `gradient` (a forward and a backward to the input), `layer` (Captum's Grad-CAM) and
`pair` (DeepLIFT on an input and its baseline). For shared passes, each combination of module, layout and batch
size is a candidate. Before it is timed, its outputs are compared with the model's in float32.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

import torch
from captum.attr import DeepLift, LayerGradCam
from torch import Tensor, nn

from benchmarks.machine import device
from schemas.methods import DeepLift as DeepLiftMethod
from workers.engine.device.gate import DeviceGate
from workers.models.pipeline import load_model
from workers.models.resident import Device, ResidentModel

ROOT = Path(__file__).parents[1]
MODEL, LAYER = "efficientnet-lite0", "features.17"
TABLE = "breast-cancer-mlp"
TOLERANCE = 1e-3  # of the largest output; rounding is smaller
Run = Callable[[Tensor], object]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to run rows of a class. `call` runs a whole batch."""

    rows_class: str
    name: str
    batch: int
    call: Run


class Ceilings:
    """The grid of candidates and the fastest candidate of each class.

    Attributes:
        grid: seconds per row, by class and candidate.
        best: the fastest candidate, by class.
    """

    def __init__(self) -> None:
        self.device = device()
        threads = torch.get_num_threads()
        self.model: ResidentModel = load_model(ROOT / "models" / MODEL, Device(self.device, threads, 16, DeviceGate()))
        self._table = load_model(ROOT / "models" / TABLE, Device(self.device, threads, 16, DeviceGate()))
        cuda = self.device.type == "cuda"
        # A GPU's memory is shared with the service, and 512 rows are 2 % faster than 256.
        self.batches = (32, 64, 128, 256) if cuda else (8, 16, 32)
        self._x = torch.randn(max(self.batches), 3, 224, 224, device=self.device)
        self.best: dict[str, Candidate] = {}
        self.grid: dict[str, dict[str, float]] = {}

    def survey(self, rounds: int = 1) -> None:
        """Times the whole grid and stores the fastest candidate of each class."""
        for candidate in self._candidates():
            try:
                seconds = min(self._seconds_per_row(candidate) for _ in range(rounds))
            except torch.OutOfMemoryError:  # the service uses a part of the same device
                self._release()
                continue
            self.grid.setdefault(candidate.rows_class, {})[f"{candidate.name}, {candidate.batch}"] = seconds
            best = self.best.get(candidate.rows_class)
            if best is None or seconds < self.grid[candidate.rows_class][f"{best.name}, {best.batch}"]:
                self.best[candidate.rows_class] = candidate
            self._release()

    def measure(self, classes: Collection[str], repeats: int = 5) -> dict[str, float]:
        """Seconds per row for each of `classes`, with its fastest candidate: the median of `repeats` passes."""
        seconds = {name: self._median(self.best[name], repeats) for name in classes}
        self._release()
        return seconds

    def _median(self, candidate: Candidate, repeats: int) -> float:
        self._seconds_per_row(candidate)
        return median(self._seconds_per_row(candidate, warm=True) for _ in range(repeats))

    def one_row(self, name: str = MODEL) -> float:
        """Seconds of a pass of one gradient row."""
        model = self.model if name == MODEL else self._table
        call = _gradient(model.engine.view.pass_module, torch.contiguous_format)
        return self._seconds_per_row(
            Candidate("gradient", "", 1, call), rows=model.adapter.sample(self.device).inputs[0]
        )

    def _seconds_per_row(self, candidate: Candidate, *, warm: bool = False, rows: Tensor | None = None) -> float:
        x = (self._x if rows is None else rows)[: candidate.batch]
        if not warm:
            candidate.call(x)
            self._wait()
        started = perf_counter()
        candidate.call(x)
        self._wait()
        return (perf_counter() - started) / candidate.batch

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def _release(self) -> None:
        """Returns cached memory of the device, which the service shares."""
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def _candidates(self) -> list[Candidate]:
        built = self.model.engine.view.module
        modules = {"as built": built, "optimized": self.model.engine.view.pass_module}
        found = []
        for name, module in modules.items():
            for layout, form in (("", torch.contiguous_format), (", channels last", torch.channels_last)):
                self._check(built, module, form)
                for batch in self.batches:
                    found.append(Candidate("forward", name + layout, batch, _forward(module, form)))
                    found.append(Candidate("gradient", name + layout, batch, _gradient(module, form)))
        layer = built.get_submodule(LAYER)
        rescale = self.model.engine.view.rule_modules.get("rescale")
        ruled = [] if rescale is None else [rescale]
        for batch in self.batches:
            found.append(Candidate("layer", "Captum's Grad-CAM", batch, _grad_cam(built, layer)))
            found.append(Candidate("pair", "Captum's DeepLIFT", batch // 2, _deep_lift(built)))
            found += [Candidate("pair", "rule module", batch // 2, _multipliers(one)) for one in ruled]
        return found

    def _check(self, built: nn.Module, module: nn.Module, form: torch.memory_format) -> None:
        x = self._x[:2]
        with torch.no_grad():
            expected, actual = built(x), module(x.contiguous(memory_format=form))
        if not torch.allclose(actual, expected, rtol=0, atol=TOLERANCE * float(expected.abs().max())):
            raise RuntimeError("the outputs of a candidate differ from the model's")


def _forward(module: nn.Module, form: torch.memory_format) -> Run:
    def run(x: Tensor) -> object:
        with torch.no_grad():
            return module(x.contiguous(memory_format=form))

    return run


def _gradient(module: nn.Module, form: torch.memory_format) -> Run:
    def run(x: Tensor) -> object:
        leaf = x.contiguous(memory_format=form).detach().requires_grad_()
        return torch.autograd.grad(module(leaf)[:, 0].sum(), leaf)

    return run


def _grad_cam(module: nn.Module, layer: nn.Module) -> Run:
    return lambda x: LayerGradCam(module, layer).attribute(x, target=0)


def _multipliers(module: nn.Module) -> Run:
    def run(x: Tensor) -> object:
        leaf = x.clone().requires_grad_()
        outputs = module((leaf.clone(),), (torch.zeros_like(x),), DeepLiftMethod.default("eps"))
        return torch.autograd.grad(outputs[:, 0].sum(), leaf)

    return run


def _deep_lift(module: nn.Module) -> Run:
    return lambda x: DeepLift(module).attribute(x.clone().requires_grad_(), torch.zeros_like(x), target=0)
