"""What is found out about a model at load is found out without TF32, whoever loads it and whatever else runs."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from workers.engine.gate import DeviceGate
from workers.engine.precision import passes_in
from workers.models.load import Device, load_model

CPU = torch.device("cpu")
# As on a GPU, where TF32 kernels of one row and of more round otherwise.
MODEL = """
import torch
from torch import nn

class Rounded(nn.Module):
    def forward(self, x):
        off = 1e-3 * len(x) if torch.backends.cudnn.allow_tf32 else 0.0
        return x * (1 + off)

def table():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), Rounded(), nn.ReLU(), nn.Linear(8, 3))

def picture():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), Rounded(), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(4, 3),
    )

class Ids(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(20, 4)
        self.rounded = Rounded()
        self.head = nn.Linear(4, 3)

    def forward(self, ids):
        return self.head(self.rounded(self.words(ids)).mean(1))

def ids():
    torch.manual_seed(0)
    return Ids()
"""
KINDS = {  # the input, and the layer that is examined
    "table": ('kind = "tensor"\nshapes = [[6]]', "1"),
    "picture": ('kind = "image"\nsize = [8, 8]', "2"),
    "ids": ('kind = "tensor"\ndtype = "int64"\nshapes = [[5]]', "rounded"),
}


def folder(path: Path, kind: str) -> Path:
    given, layer = KINDS[kind]
    (path / "model.py").write_text(MODEL)
    (path / "model.toml").write_text(
        f'name = "{kind}"\nfactory = "model.py:{kind}"\n[input]\n{given}\n'
        f'[output]\nkind = "classification"\n[explain]\nlayer = "{layer}"\n'
    )
    return path


@pytest.fixture(autouse=True)
def allowed() -> Iterator[None]:
    """As PyTorch has it in a process that says nothing."""
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = True, True
    yield
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


def check_found(path: Path, gate: DeviceGate) -> None:
    card = load_model(path, Device(CPU, 1, 4, gate)).card
    assert card.execution == "packed", card.execution_reason
    assert [layer.refused for layer in card.layers] == [None] * len(card.layers)
    assert not [one.reason for one in card.methods if "independent" in (one.reason or "")]


@pytest.mark.parametrize("kind", KINDS)
def test_a_process_that_allows_tf32_finds_the_same(tmp_path: Path, kind: str) -> None:
    check_found(folder(tmp_path, kind), DeviceGate())


@pytest.mark.parametrize("kind", KINDS)
def test_beside_a_model_whose_passes_use_tf32(tmp_path: Path, kind: str) -> None:
    gate, ended, begun = DeviceGate(), threading.Event(), threading.Event()

    def one_pass() -> None:
        with passes_in("tf32"):
            begun.set()
            torch.randn(200, 200).matmul(torch.randn(200, 200))

    def other_model() -> None:
        while not ended.is_set():
            gate.run(one_pass, 1)

    thread = threading.Thread(target=other_model)
    thread.start()
    try:
        assert begun.wait(30)
        check_found(folder(tmp_path, kind), gate)
    finally:
        ended.set()
        thread.join(30)
    assert not thread.is_alive()
