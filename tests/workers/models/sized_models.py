"""Folders of models whose size in memory is known, and which load only once a test lets them."""

import threading
from collections import defaultdict
from pathlib import Path

import torch
from torch import Tensor, nn

KIB = 1024
TOML = """
name = "{name}"
version = "{version}"
factory = "model.py:build"
[input]
kind = "tensor"
shapes = [[4]]
"""
PY = """
from tests.workers.models.sized_models import Sized


def build():
    return Sized("{name}", {kib}, {factor})
"""

OPEN: dict[str, threading.Event] = defaultdict(threading.Event)  # cleared by `closed`: the model waits for it
ENTERED: dict[str, threading.Event] = defaultdict(threading.Event)  # a load has begun


class Sized(nn.Module):
    """(rows, 4) -> (rows, 2), `factor` times the first two; takes `kib` KiB."""

    def __init__(self, name: str, kib: int, factor: float) -> None:
        super().__init__()
        ENTERED[name].set()
        if name in OPEN:
            OPEN[name].wait(60)
        self.register_buffer("weight", torch.full((kib * KIB // 4,), factor))

    def forward(self, x: Tensor) -> Tensor:
        return x[:, :2] * self.weight[0]


def write_model(directory: Path, name: str, version: str = "1", *, kib: int = 4, factor: float = 1.0) -> Path:
    """A folder `name-version`, written anew."""
    folder = directory / f"{name}-{version}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.toml").write_text(TOML.format(name=name, version=version))
    (folder / "model.py").write_text(PY.format(name=name, kib=kib, factor=factor))
    return folder


def break_model(folder: Path) -> None:
    """From now on it does not load."""
    (folder / "model.py").write_text("raise RuntimeError('no weights today')\n")
