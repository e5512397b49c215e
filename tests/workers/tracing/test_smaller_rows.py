"""Proofs run on smaller pictures only where the model computes the same operations there."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.workers.toys import frozen
from workers.tracing.smaller_rows import SmallerSize, smaller_size

X = torch.randn(1, 3, 160, 140, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


class Picture(nn.Module):
    """A small convolutional network, with a step of its own before the head."""

    def __init__(self, step: Callable[[Tensor, Tensor], Tensor] = lambda maps, _x: maps, pool: int = 1) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, stride=8)
        self.relu = nn.ReLU()
        self.pool = nn.AdaptiveAvgPool2d(pool) if pool else nn.Identity()
        self.head = nn.Linear(4, 2)
        self.step = step

    def forward(self, x: Tensor) -> Tensor:
        maps = self.pool(self.step(self.relu(self.first(x)), x))
        return self.head(maps.flatten(2).mean(2))


def large(x: Tensor) -> bool:
    return x.shape[2] > 128


CUT: dict[str, Any] = {"pooled": Picture(), "mean of places": Picture(pool=0)}
NOT_CUT: dict[str, Any] = {
    "another activation": Picture(lambda maps, x: maps.sigmoid() if large(x) else maps.tanh()),
    "one more operation": Picture(lambda maps, x: maps + 1.0 if large(x) else maps),
    "a branch on the values": Picture(lambda maps, x: maps if x.sum() > 0 else -maps),
    "a value that leaves the graph": Picture(lambda maps, x: maps * x.detach().amax()),
    "no gradient": Picture(lambda maps, _x: maps.detach()),
    "other operands": Picture(lambda maps, x: maps * (maps if large(x) else maps.relu())),
    "a fixed size": nn.Sequential(nn.Flatten(), nn.Linear(X.numel(), 2)),
    "a fixed number of places": nn.Sequential(nn.Conv2d(3, 1, 8, stride=8), nn.Flatten(), nn.Linear(20 * 17, 2)),
}


@pytest.mark.parametrize("name", CUT)
def test_convolutional_networks_are_cut_to_the_smallest_side(name: str) -> None:
    assert smaller_size(frozen(CUT[name]), (X,), 1) == SmallerSize(64)


@pytest.mark.parametrize("name", NOT_CUT)
def test_a_model_that_computes_something_else_is_not_cut(name: str) -> None:
    assert smaller_size(frozen(NOT_CUT[name]), (X,), 1) is None


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_torchscript_is_not_cut() -> None:
    model = nn.Sequential(nn.Conv2d(3, 1, 8, stride=8), torch.jit.script(nn.ReLU()))
    assert smaller_size(frozen(model), (X,), 1) is None


def test_a_model_that_needs_more_places_gets_a_larger_side() -> None:
    def step(maps: Tensor, _x: Tensor) -> Tensor:
        return F.conv2d(maps, torch.ones(4, 4, 9, 9, dtype=torch.float64))

    model = frozen(Picture(step))
    assert model(X[..., :96, :96]).shape == (1, 2)
    assert smaller_size(model, (X,), 1) == SmallerSize(96)


def test_cheap_rows_and_rows_hardly_larger_are_not_cut() -> None:
    model = frozen(Picture())
    assert smaller_size(model, (X[..., :32, :32],), 1) is None
    assert smaller_size(model, (X[..., :80, :80],), 1) is None


def test_only_places_of_pictures_and_volumes_are_cut() -> None:
    size = SmallerSize(64)
    shapes = [(2, 3, 160, 20), (2, 3, 70, 80, 90), (2, 200, 300), (2, 5)]
    cut = size.cut(tuple(torch.zeros(shape) for shape in shapes))
    assert [tuple(tensor.shape) for tensor in cut] == [(2, 3, 64, 20), (2, 3, 64, 64, 64), (2, 200, 300), (2, 5)]
    assert [size.shape(shape[1:]) for shape in shapes] == [tuple(tensor.shape[1:]) for tensor in cut]
