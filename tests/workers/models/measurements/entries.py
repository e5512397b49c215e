"""An entry of the cache, and a model whose load measures and proves something of everything."""

from pathlib import Path
from typing import Any

from schemas.precision import PassPrecision
from tests.workers.toys import CPU
from workers.engine.device.gate import DeviceGate
from workers.models.measurements.cache import MeasurementCache
from workers.models.measurements.measured import Measured
from workers.models.resident import Device

KEY = "ab" * 32
TOML = """
name = "tiny"
factory = "model.py:build"
[input]
kind = "tensor"
shapes = [[2, 6, 6]]
"""
# Batch norms to fold, convolutions whose layout is timed, and a ReLU that is called twice: hooks need a copy.
PY = """
import torch
from torch import nn


class Tiny(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.norm, self.second = nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Conv2d(3, 4, 3)
        self.relu, self.last = nn.ReLU(), nn.Linear(16, 2)

    def forward(self, x):
        x = self.relu(self.norm(self.first(x)))
        return self.last(self.relu(self.second(x)).flatten(1))


def build():
    torch.manual_seed(0)
    return Tiny().eval()
"""


def measured(**changes: Any) -> Measured:
    values = {
        "key": KEY,
        "mixing_layers": {},
        "index_columns": [],
        "steps": ["fold_batch_norms"],
        "rewrite": (True, False),
        "rules": {"rescale": (["fold_batch_norms"], False, False)},
        "precision": PassPrecision(),
        "batch_rows": 8,
        "layers": [],
        "methods": [],
        "default_layer": None,
    }
    return Measured.model_validate({**values, **changes})


def write_folder(folder: Path) -> Path:
    folder.mkdir()
    (folder / "model.toml").write_text(TOML)
    (folder / "model.py").write_text(PY)
    return folder


def device_with(directory: Path | None, threads: int = 1, batch_rows: int | None = None) -> Device:
    cache = None if directory is None else MeasurementCache(directory)
    return Device(CPU, threads, batch_rows, DeviceGate(), measurements=cache)
