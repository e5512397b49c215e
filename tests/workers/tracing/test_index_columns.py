"""Input elements that become an index have no gradient, and are found."""

import pytest
import torch
from torch import Tensor, nn

from workers.tracing.index_columns import index_columns
from workers.tracing.random_rows import RowKind, draw_rows

CPU = torch.device("cpu")
TABLE = torch.tensor([[0.0, 1.0], [2.0, -1.0], [3.0, 5.0], [-4.0, 0.5], [1.0, 1.0]], dtype=torch.float64)


def embedded(x: Tensor) -> Tensor:
    return TABLE[x[:, 0].long()] + x[:, 1:3]


def rounded(x: Tensor) -> Tensor:
    return torch.stack([x[:, 0] + x[:, 1], x[:, 1] - x[:, 2].round()], dim=1)


def thresholded(x: Tensor) -> Tensor:
    return torch.stack([x[:, 0] * 2, x[:, 1] + (x[:, 2] > 0)], dim=1)


def smooth(x: Tensor) -> Tensor:
    return torch.stack([x.sum(1), x[:, 0] * x[:, 2]], dim=1)


def unused(x: Tensor) -> Tensor:
    return x[:, :2] ** 2


class Made(nn.Module):
    def __init__(self, function: object) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)  # type: ignore[operator, no-any-return]


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (embedded, [(0, 0)]),
        (rounded, [(0, 2)]),
        (thresholded, [(0, 2)]),
        (smooth, []),
        (unused, []),
    ],
)
def test_elements_that_become_an_index_are_found(function: object, expected: list[tuple[int, int]]) -> None:
    module = Made(function)
    kinds = [RowKind((3,), torch.float64)]
    rows = [row for number in range(3) for row in draw_rows(kinds, module, CPU, number)]
    assert index_columns(module, rows, 1) == expected
