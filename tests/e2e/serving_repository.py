"""A model repository that changes while it is served: versions, models too large for one worker, slow loads."""

from pathlib import Path

from tests.e2e.toy_repository import MODEL_PY, MODEL_TOML

KIB = 1024
BUDGET_KIB = 256
LARGE_KIB = 150  # two of them do not fit
LARGE_PY = """
import torch
from torch import nn


class Large(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.head = nn.Linear(4, 3)
        self.register_buffer("ballast", torch.zeros({kib} * 256))

    def forward(self, x):
        return self.head(self.relu(x))


build = Large
"""
WAITING_PY = """
import pathlib
import time

HERE = pathlib.Path(__file__).parent.parent.parent


def build():
    (HERE / "entered").touch()
    while not (HERE / "go").exists():
        time.sleep(0.01)
    return Slow()
"""


def add_version(models: Path, version: str, *, seed: int = 0) -> None:
    """Adds a version of `slow`, with weights drawn from `seed`."""
    folder = models / f"slow-{version}"
    folder.mkdir(parents=True)
    (folder / "model.toml").write_text(f'version = "{version}"\n' + MODEL_TOML)
    (folder / "model.py").write_text(MODEL_PY.replace("manual_seed(0)", f"manual_seed({seed})"))


def add_large(models: Path, name: str) -> None:
    """Adds a model of 150 KiB."""
    folder = models / name
    folder.mkdir(parents=True)
    (folder / "model.toml").write_text(MODEL_TOML.replace('"slow"', f'"{name}"'))
    (folder / "model.py").write_text(LARGE_PY.format(kib=LARGE_KIB))


def add_waiting(models: Path) -> None:
    """Adds `waiting`. At load it creates the file `entered` next to the repository and waits for the file `go`."""
    folder = models / "waiting"
    folder.mkdir(parents=True)
    (folder / "model.toml").write_text(MODEL_TOML.replace('"slow"', '"waiting"'))
    (folder / "model.py").write_text(MODEL_PY.replace("def build() -> nn.Module:\n    return Slow()\n", WAITING_PY))
