"""A model folder whose model raises, or waits for the test, at certain inputs."""

import threading
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from schemas.jobs import JobSpec
from schemas.methods import stored_fields
from schemas.model_key import ModelKey

KEY = ModelKey("net", "1")
RAISES_AT = 99.0  # an input element
WAITS_AT = 77.0
WAIT_LIMIT_S = 60.0
ENTERED = threading.Event()  # a forward waits
OPEN = threading.Event()  # forwards go on

TOML = """
name = "net"
factory = "model.py:build"
input = {kind = "tensor", shapes = [[4]], dtype = "float64"}
output = {labels = ["ant", "bee", "cat"]}
"""
PY = """
from tests.workers.jobs.net import Net as build
"""


class Net(nn.Module):
    """(rows, 4) -> (rows, 3)."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(nn.Linear(4, 9), nn.Tanh(), nn.Linear(9, 3))

    def forward(self, x: Tensor) -> Tensor:
        if (x == RAISES_AT).any():
            raise ValueError("no such input")
        if (x == WAITS_AT).any():
            ENTERED.set()
            OPEN.wait(WAIT_LIMIT_S)
        return self.body(x)


def write_net(directory: Path) -> Path:
    """A folder `net` in the directory."""
    folder = directory / "net"
    folder.mkdir()
    (folder / "model.toml").write_text(TOML)
    (folder / "model.py").write_text(PY)
    return folder


def spec(method: Any, examples: int = 1, **fields: Any) -> JobSpec:
    """A job for the model; 22 rows, as 20 steps and both ends take."""
    given = {"input_kind": "tensor", "examples": examples, "method": stored_fields(method), "rows": 22, **fields}
    return JobSpec(model="net", version="1", **given)


def example(value: float) -> Tensor:
    """(1, 4), all elements equal."""
    return torch.full((1, 4), value, dtype=torch.float64)
