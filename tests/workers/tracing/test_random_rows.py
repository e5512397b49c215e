"""Random rows that a model accepts."""

import pytest
import torch
from torch import Tensor, nn

from workers.tracing.random_rows import RowKind, batches, draw_rows
from workers.tracing.tuning import LARGE_ROWS_AFTER_FIRST_DRAW, RANDOM_ROWS, VALUE_SCALES

CPU = torch.device("cpu")
FLOATS = RowKind((40,), torch.float32)


class Accepting(nn.Module):
    """Refuses rows with values below `least`."""

    def __init__(self, least: float) -> None:
        super().__init__()
        self.least = least

    def forward(self, *tensors: Tensor) -> Tensor:
        if float(tensors[0].min()) < self.least:
            raise ValueError
        return tensors[0]


@pytest.mark.parametrize("number", range(3))
def test_each_draw_has_a_scale(number: int) -> None:
    rows = draw_rows([FLOATS], Accepting(-1e9), CPU, number)
    assert len(rows) == RANDOM_ROWS
    assert all(row[0].shape == (1, 40) for row in rows)
    spread = float(torch.cat([row[0] for row in rows]).std())
    assert spread == pytest.approx(VALUE_SCALES[number], rel=0.25)
    again = draw_rows([FLOATS], Accepting(-1e9), CPU, number)
    assert all(torch.equal(one[0], other[0]) for one, other in zip(rows, again, strict=True))


def test_models_that_refuse_values_get_others() -> None:
    uniform = draw_rows([FLOATS], Accepting(0.0), CPU, 0)
    assert len(uniform) == RANDOM_ROWS
    assert all(0 <= float(row[0].min()) <= float(row[0].max()) < 1 for row in uniform)
    ones = draw_rows([FLOATS], Accepting(1.0), CPU, 0)
    assert [row[0].unique().tolist() for row in ones] == [[1.0]]
    assert draw_rows([FLOATS], Accepting(2.0), CPU, 0) == []


def test_ids_masks_padding_and_constants() -> None:
    kinds = [
        RowKind((30,), torch.int64, vocabulary=5),
        RowKind((30,), torch.int64, vocabulary=5, pad=9),
        RowKind((2,), torch.int64, constant=3),
        RowKind((30,), torch.bool),
    ]
    rows = draw_rows(kinds, Accepting(0), CPU, 1)
    ids, padded, constant, flags = (torch.cat(column) for column in zip(*rows, strict=True))
    assert ids.unique().tolist() == [0, 1, 2, 3, 4]
    assert (ids[:, 0] >= 1).all()
    for row in padded:  # padding fills the end
        assert row[0] != 9
        assert (row == 9).sum() == (row.flip(0) == 9).long().cumprod(0).sum()
    assert constant.unique().tolist() == [3]
    assert flags.dtype == torch.bool


def test_later_draws_of_large_rows_are_short() -> None:
    kinds = [RowKind((5000,), torch.float32)]
    assert [len(draw_rows(kinds, Accepting(-1e9), CPU, number)) for number in (0, 1)] == [
        RANDOM_ROWS,
        LARGE_ROWS_AFTER_FIRST_DRAW,
    ]


def test_batches_put_each_row_at_several_positions() -> None:
    small = [(torch.zeros(1, 2),)] * 7
    assert list(batches(small)) == [[0, 1], [2, 1, 0], [0, 1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1, 0]]
    large = [(torch.zeros(1, 5000),)] * 7
    assert list(batches(large)) == [[0, 1], [2, 1, 0], [0, 1, 2, 3, 4, 5, 6]]
    assert list(batches(large[:3])) == [[2, 1, 0]]
    assert list(batches(small[:1])) == []
    assert list(batches(small[:2])) == [[0, 1], [0, 1], [1, 0]]
