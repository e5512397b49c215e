"""Code of a model's folder that looks its own module up while it runs, and later."""

import sys
from pathlib import Path

import pytest

from tests.workers.toys import CPU
from workers.engine.device.gate import DeviceGate
from workers.models.loaders import load_module
from workers.models.pipeline import load_model
from workers.models.resident import Device
from workers.repository.model_toml import read_config

DEVICE = Device(CPU, 1, 8, DeviceGate())
TOML = """
name = "{name}"
factory = "model.py:build"
[input]
kind = "tensor"
dtype = "float64"
shapes = [[4]]
"""
HEAD = "from __future__ import annotations\n\nimport torch\nfrom torch import nn\n"
DATACLASS = (
    HEAD
    + """
from dataclasses import dataclass, field, KW_ONLY
from typing import ClassVar


@dataclass(frozen=True)
class Settings:
    known: ClassVar[list[int]] = []
    width: int = 5
    _: KW_ONLY
    act: type[nn.Module] = field(default=nn.ReLU)


def build():
    s = Settings()
    return nn.Sequential(nn.Linear(4, s.width), s.act(), nn.Linear(s.width, 3))
"""
)
HINTS = (
    HEAD
    + """
import typing


class Net(nn.Module):
    width: Width

    def __init__(self):
        super().__init__()
        self.net = nn.Linear(4, typing.get_type_hints(Net)["width"].size)

    def forward(self, x):
        assert typing.get_type_hints(type(self))["width"] is Width  # whenever it runs
        return self.net(x)


class Width:
    size = 3


def build():
    return Net()
"""
)
NAMED = (
    HEAD
    + """
import enum, inspect, sys
from typing import NamedTuple, TypedDict


class Act(enum.Enum):
    RELU = "relu"
    TANH = "tanh"


class Size(NamedTuple):
    inner: int = 6
    outer: int = 3


Options = TypedDict("Options", {"act": Act})


def build():
    assert sys.modules[__name__].Size is Size
    assert "class Size" in inspect.getsource(sys.modules[Size.__module__])
    size, options = Size(), Options(act=Act("tanh"))
    act = nn.Tanh() if options["act"] is Act.TANH else nn.ReLU()
    return nn.Sequential(nn.Linear(4, size.inner), act, nn.Linear(6, size.outer))
"""
)
PARTS = (
    HEAD
    + """
from .blocks import Block


def build():
    return Block()
"""
)
SCRIPTED = (
    HEAD
    + """

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.net(x)


def build():
    return Net()
"""
)


def folder(tmp_path: Path, name: str, source: str) -> Path:
    path = tmp_path / name
    path.mkdir()
    (path / "model.toml").write_text(TOML.format(name=name))
    (path / "model.py").write_text(source)
    return path


@pytest.mark.parametrize(
    "source", [DATACLASS, HINTS, NAMED, SCRIPTED], ids=["dataclass", "hints", "named tuple and enum", "plain"]
)
def test_it_loads(tmp_path: Path, source: str) -> None:
    model = load_model(folder(tmp_path, "one-model.v2", source), DEVICE)
    assert model.card.status == "ready"
    assert model.card.output is not None
    assert model.card.output.size == 3


def test_two_models_have_modules_of_their_own(tmp_path: Path) -> None:
    sources = {"a-b": HINTS, "a_b": HINTS.replace("Width", "Size")}
    folders = {name: folder(tmp_path, name, source) for name, source in sources.items()}
    built = [load_module(read_config(one), one).module for one in (*folders.values(), folders["a-b"])]
    modules = [type(one).__module__ for one in built]
    assert len(set(modules)) == 3
    assert all(sys.modules[name].Net is type(one) for name, one in zip(modules, built, strict=True))
    assert hasattr(sys.modules[modules[0]], "Width")
    assert not hasattr(sys.modules[modules[1]], "Width")


def test_a_file_beside_it_is_its_own(tmp_path: Path) -> None:
    block = (
        "from torch import nn\n\n\nclass Block(nn.Linear):\n    def __init__(self):\n        super().__init__(4, {})\n"
    )
    outputs = {"one": 2, "two": 5}
    for name, count in outputs.items():
        (folder(tmp_path, name, PARTS) / "blocks.py").write_text(block.format(count))
    for name, count in outputs.items():
        card = load_model(tmp_path / name, DEVICE).card
        assert card.output is not None
        assert card.output.size == count


def modules_of_models() -> set[str]:
    return {name for name in sys.modules if name.startswith("_model_")}


def test_a_module_goes_with_its_model(tmp_path: Path) -> None:
    path = folder(tmp_path, "leaving", PARTS)
    (path / "blocks.py").write_text("from torch import nn\nBlock = lambda: nn.Linear(4, 2)\n")
    before = modules_of_models()
    loaded = load_module(read_config(path), path)
    assert {name.partition(".")[2] for name in modules_of_models() - before} == {"", "model", "blocks"}
    del loaded
    assert modules_of_models() - before == set()


@pytest.mark.parametrize("source", ["raise RuntimeError('no')\n", "def build():\n    raise RuntimeError('no')\n"])
def test_a_module_that_fails_stays_nowhere(tmp_path: Path, source: str) -> None:
    path = folder(tmp_path, "failing", source)
    before = modules_of_models()
    with pytest.raises(RuntimeError, match="no"):
        load_model(path, DEVICE)
    assert modules_of_models() == before
