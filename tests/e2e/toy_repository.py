"""A model repository for tests of failure: a slow model that dies or raises on certain inputs."""

from pathlib import Path

MODEL_TOML = """
name = "slow"
factory = "model.py:build"
[input]
kind = "tensor"
shapes = [[4]]
[explain]
layer = "relu"
"""
MODEL_PY = '''
import os
import time

import torch
from torch import Tensor, nn

KILLS, RAISES = 666.0, 13.0


class Slow(nn.Module):
    """(rows, 4) -> (rows, 3); each pass takes 20 ms. A value of 666 kills the process, one of 13 raises."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Linear(4, 8)
        self.relu = nn.ReLU()
        self.head = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        if bool((x == KILLS).any()):
            os.kill(os.getpid(), 9)
        if bool((x == RAISES).any()):
            raise ValueError("no such luck")
        time.sleep(0.02)
        return self.head(self.relu(self.first(x)))


def build() -> nn.Module:
    return Slow()
'''


def write_slow(directory: Path) -> None:
    """Writes `slow` into a repository."""
    slow = directory / "slow"
    slow.mkdir(parents=True)
    (slow / "model.toml").write_text(MODEL_TOML)
    (slow / "model.py").write_text(MODEL_PY)


def write_repository(directory: Path) -> Path:
    """Writes a repository with `slow`, and `broken`, whose factory raises."""
    write_slow(directory)
    broken = directory / "broken"
    broken.mkdir()
    (broken / "model.toml").write_text(MODEL_TOML.replace('"slow"', '"broken"'))
    (broken / "model.py").write_text("def build():\n    raise RuntimeError('weights are missing')\n")
    return directory
