"""The least seconds per row that this device needs, by class of row: bare loops, with nothing else running.

Classes: `forward`, `gradient` (a forward and a backward to the input), `layer` (Grad-CAM by Captum), `pair` (DeepLIFT
by Captum, an input and its baseline). Shared passes may run any of a grid of {module x layout x batch}; each candidate
is checked against the model as it is built, in float32, before it is timed.
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
from workers.engine.gate import DeviceGate
from workers.models.load import Device, ResidentModel, load_model

ROOT = Path(__file__).parents[1]
MODEL, LAYER = "efficientnet-lite0", "features.17"
TABLE = "breast-cancer-mlp"
AGREES = 1e-3  # of the largest output: rounding moves them less
Run = Callable[[Tensor], object]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to run rows of a class; `call` runs a whole batch."""

    rows_class: str
    name: str
    batch: int
    call: Run


class Ceilings:
    """The grid, and the best of each class on it."""

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
        """Times the whole grid and remembers the best candidate of each class."""
        for candidate in self._candidates():
            try:
                seconds = min(self._seconds_per_row(candidate) for _ in range(rounds))
            except torch.OutOfMemoryError:  # the service has its share of the same device
                self._release()
                continue
            self.grid.setdefault(candidate.rows_class, {})[f"{candidate.name}, {candidate.batch}"] = seconds
            best = self.best.get(candidate.rows_class)
            if best is None or seconds < self.grid[candidate.rows_class][f"{best.name}, {best.batch}"]:
                self.best[candidate.rows_class] = candidate
            self._release()

    def measure(self, classes: Collection[str], repeats: int = 5) -> dict[str, float]:
        """Seconds per row of these classes, each by its best candidate; the median of so many passes."""
        found = {name: self._median(self.best[name], repeats) for name in classes}
        self._release()
        return found

    def _median(self, candidate: Candidate, repeats: int) -> float:
        self._seconds_per_row(candidate)
        return median(self._seconds_per_row(candidate, warm=True) for _ in range(repeats))

    def one_row(self, name: str = MODEL) -> float:
        """Seconds of a gradient row by itself in a pass."""
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
        """Leaves the device's memory to the service, which shares it."""
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def _candidates(self) -> list[Candidate]:
        built = self.model.engine.view.module
        modules = {"as built": built, "lean": self.model.engine.view.pass_module}
        found = []
        for name, module in modules.items():
            for layout, form in (("", torch.contiguous_format), (", channels last", torch.channels_last)):
                self._check(built, module, form)
                for batch in self.batches:
                    found.append(Candidate("forward", name + layout, batch, _forward(module, form)))
                    found.append(Candidate("gradient", name + layout, batch, _gradient(module, form)))
        layer = built.get_submodule(LAYER)
        for batch in self.batches:
            found.append(Candidate("layer", "Captum's Grad-CAM", batch, _grad_cam(built, layer)))
            found.append(Candidate("pair", "Captum's DeepLIFT", batch // 2, _deep_lift(built)))
        return found

    def _check(self, built: nn.Module, module: nn.Module, form: torch.memory_format) -> None:
        x = self._x[:2]
        with torch.no_grad():
            expected, found = built(x), module(x.contiguous(memory_format=form))
        if not torch.allclose(found, expected, rtol=0, atol=AGREES * float(expected.abs().max())):
            raise RuntimeError("a candidate answers otherwise than the model")


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


def _deep_lift(module: nn.Module) -> Run:
    return lambda x: DeepLift(module).attribute(x.clone().requires_grad_(), torch.zeros_like(x), target=0)
