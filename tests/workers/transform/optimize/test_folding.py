"""Batch norms are folded into the layers before them where this changes nothing."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.workers.toys import frozen
from tests.workers.transform.optimize.norm_models import (
    IMAGE,
    BatchNormAct,
    Named,
    SamePadding,
    Standardised,
    chain,
    gated,
    head,
    norms_of,
    optimized_copy,
    scaled_by_its_largest,
)
from workers.transform.optimize import make_optimized


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (chain(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), *head(4)), IMAGE),
        (chain(nn.Conv2d(3, 6, 3, groups=3, stride=2), nn.BatchNorm2d(6, affine=False), *head(6)), IMAGE),
        (chain(nn.ConvTranspose2d(3, 4, 2, stride=2), nn.BatchNorm2d(4), nn.ReLU(), *head(4)), IMAGE),
        (chain(SamePadding(3, 4, 2), nn.BatchNorm2d(4), nn.ReLU(), *head(4)), IMAGE),
        (chain(nn.Conv2d(3, 4, 3), BatchNormAct(4), *head(4)), IMAGE),
        (chain(nn.Conv1d(3, 4, 3), nn.BatchNorm1d(4), nn.Tanh(), nn.Flatten()), (3, 9)),
        (chain(nn.Conv3d(1, 4, 2), nn.BatchNorm3d(4), nn.Sigmoid(), nn.Flatten()), (1, 4, 4, 4)),
        (chain(nn.Linear(5, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 2)), (5,)),
        (Named(lambda m, x: F.relu(m.norms[0](m.conv(x))) + x), IMAGE),
    ],
    ids=["conv", "grouped", "transposed", "own-padding", "with-activation", "1d", "3d", "linear", "in-a-function"],
)
def test_norms_are_folded(model: nn.Module, shape: tuple[int, ...]) -> None:
    assert norms_of(model) == 1
    assert norms_of(optimized_copy(model, shape)) == 0


@pytest.mark.parametrize(
    "model",
    [
        Named(lambda m, x: m.norms[0](m.conv(x)) + F.relu(m.conv(x))),
        Named(gated),
        Named(lambda m, x: m.norms[0](m.norms[0](m.conv(x)))),
        Named(lambda m, x: m.norms[0](m.conv(x) * 2.0)),
        Named(lambda m, x: m.norms[0](x)),
        Named(scaled_by_its_largest),
        chain(Standardised(3, 3, 3, padding=1), nn.BatchNorm2d(3), nn.Flatten()),
        chain(nn.Linear(8, 3), nn.BatchNorm2d(3), nn.Flatten()),  # the norm's channels are not what the layer gives
        chain(nn.ReLU(), nn.BatchNorm2d(3), nn.Flatten()),
    ],
    ids=[
        "layer called twice",
        "output used elsewhere",
        "norm called twice",
        "scaled between",
        "not after a layer",
        "decides on the value",
        "weight altered",
        "other dimension",
        "after an activation",
    ],
)
def test_norms_that_are_left(model: nn.Module) -> None:
    assert norms_of(optimized_copy(model)) == 1


def test_each_pair_is_judged_by_itself() -> None:
    model = chain(
        Standardised(3, 3, 3, padding=1),
        nn.BatchNorm2d(3),
        nn.Conv2d(3, 5, 3),
        nn.BatchNorm2d(5),
        *head(5),
    )
    assert norms_of(optimized_copy(model)) == 1


def test_an_output_of_the_model_is_not_folded_away() -> None:
    class Two(Named):
        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
            y = self.conv(x)
            return self.norms[0](y).flatten(1), y

    model = frozen(Two(lambda m, x: x))
    optimized = make_optimized(model, [(torch.randn(1, *IMAGE, dtype=torch.float64),)], 1)
    assert norms_of(optimized) == 1
