"""A layer may mix rows although the model does not."""

import pytest
import torch
from torch import Tensor, nn

from workers.tracing.layer_mixing import layers_mix
from workers.tracing.random_rows import RowKind, draw_rows
from workers.tracing.row_mixing import rows_mix

CPU = torch.device("cpu")


class Shift(nn.Module):
    """Takes the mean over the rows away, as the model adds it again."""

    def forward(self, x: Tensor) -> Tensor:
        return x - x.mean(0)


class Order(nn.Module):
    """Sorts the rows; the model puts them back."""

    def forward(self, x: Tensor) -> Tensor:
        return x[x[:, 0].argsort()]


class Share(nn.Module):
    """What a row is of all rows; the model multiplies by the sum again."""

    def forward(self, x: Tensor) -> Tensor:
        return x / x.abs().sum()


class Undone(nn.Module):
    def __init__(self, part: nn.Module, back: object) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.part, self.last = nn.Linear(4, 4).double(), part, nn.Linear(4, 2).double()
        self.back = back

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        return self.last(self.back(self.part(x), x))  # type: ignore[operator, no-any-return]


@pytest.mark.parametrize(
    "module",
    [
        Undone(Shift(), lambda y, x: y + x.mean(0)),
        Undone(Order(), lambda y, x: y[x[:, 0].argsort().argsort()]),
        Undone(Share(), lambda y, x: y * x.abs().sum()),
    ],
    ids=["shift", "order", "share"],
)
def test_only_the_layer_that_mixes_is_found(module: nn.Module) -> None:
    kinds = [RowKind((4,), torch.float64)]
    draws = [draw_rows(kinds, module, CPU, number) for number in range(3)]
    assert rows_mix(module, draws, 1) is None
    assert list(layers_mix(module, draws[0])) == ["part"]
    assert "in the batch" in layers_mix(module, draws[0])["part"]


def test_layers_of_a_plain_net_are_independent() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(64, 3))
    rows = draw_rows([RowKind((3, 6, 6), torch.float32)], net.eval(), CPU, 0)
    assert layers_mix(net, rows) == {}
