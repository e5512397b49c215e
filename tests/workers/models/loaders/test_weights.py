"""Files of weights that are no state_dict: one sentence says what to do, and no advice to switch a check off."""

import warnings
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from workers.models.loaders.weights import load_weights, read_tensors
from workers.repository.model_toml import ModelConfigError

SAVE = "save the state_dict: torch.save(model.state_dict(), path)"
FORBIDDEN = ("weights_only", "trust", "unpickl", "\x1b", "\n", "add_safe_globals")


def said_of(path: Path) -> str:
    with pytest.raises(ModelConfigError) as caught:
        read_tensors(path)
    said = str(caught.value)
    assert not any(word in said for word in FORBIDDEN), said
    assert said.count(path.name) == 1
    return said


@pytest.mark.parametrize(
    "held",
    [
        nn.Linear(2, 1),
        nn.Sequential(nn.Conv2d(1, 1, 1), nn.ReLU()),
        {"model": nn.Linear(2, 1), "epoch": 3},
        [nn.TransformerEncoderLayer(4, 2)],
    ],
    ids=["layer", "sequence", "checkpoint", "list"],
)
@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickled_module(tmp_path: Path, held: object, zipped: bool) -> None:
    path = tmp_path / "weights.pt"
    torch.save(held, path, _use_new_zipfile_serialization=zipped)
    assert said_of(path) == f"weights.pt holds pickled objects, such as a whole module; {SAVE}"


@pytest.mark.parametrize(
    ("held", "what"),
    [
        ({"state_dict": {"weight": torch.ones(1)}, "epoch": 3}, "'state_dict' in weights.pt is of type dict"),
        ({"weight": torch.ones(1), "epoch": 3}, "'epoch' in weights.pt is of type int"),
        (torch.ones(2), "weights.pt holds a Tensor"),
        ([torch.ones(2)], "weights.pt holds a list"),
    ],
)
def test_tensors_that_are_no_state_dict(tmp_path: Path, held: object, what: str) -> None:
    path = tmp_path / "weights.pt"
    torch.save(held, path)
    said = said_of(path)
    assert said.startswith(what)
    assert said.endswith(SAVE)


def test_a_torchscript_program(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # tests take the files that people have
        torch.jit.save(torch.jit.trace(nn.Linear(2, 1), torch.ones(1, 2)), path)
    assert said_of(path) == f"weights.pt is a TorchScript program; {SAVE}, or use loader 'torchscript'"


@pytest.mark.parametrize("name", ["weights.pt", "weights.safetensors"])
@pytest.mark.parametrize("data", [b"", b"hello world", b"PK\x03\x04 cut short"])
def test_a_damaged_file(tmp_path: Path, name: str, data: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    said = said_of(path)
    assert ("damaged" if name.endswith(".pt") else "no safetensors file") in said


@pytest.mark.parametrize("suffix", ["pt", "pth", "safetensors"])
def test_a_state_dict_fills_the_module(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"weights.{suffix}"
    given = nn.Sequential(OrderedDict(one=nn.Linear(2, 3), two=nn.BatchNorm1d(3)))
    nn.init.constant_(given.one.bias, 7.0)
    if suffix == "safetensors":
        save_file(given.state_dict(), path)
    else:
        torch.save(given.state_dict(), path)
    filled = nn.Sequential(OrderedDict(one=nn.Linear(2, 3), two=nn.BatchNorm1d(3)))
    load_weights(filled, path)
    assert all(
        torch.equal(a, b) for a, b in zip(filled.state_dict().values(), given.state_dict().values(), strict=True)
    )


def test_weights_of_another_shape(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    torch.save(nn.Linear(3, 2).state_dict(), path)
    with pytest.raises(ModelConfigError, match=r"^weights: they do not fit the model: size mismatch for bias[^\n]*$"):
        load_weights(nn.Linear(3, 1), path)
