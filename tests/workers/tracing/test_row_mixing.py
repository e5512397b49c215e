"""Rows that depend on the other rows of a batch are found, forward and backward."""

import pytest
import torch
from torch import Tensor, nn

from workers.tracing.random_rows import RowKind, draw_rows
from workers.tracing.row_mixing import RowCountError, rows_mix, run_rows

CPU = torch.device("cpu")


class Function(nn.Module):
    def __init__(self, function: object) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)  # type: ignore[operator,no-any-return]


def mixed(function: object, dtype: torch.dtype = torch.float64, size: int = 5) -> str | None:
    module = Function(function)
    draws = [draw_rows([RowKind((size,), dtype)], nn.Identity(), CPU, number) for number in range(3)]
    return rows_mix(module, draws, 1)


class OtherGradient(torch.autograd.Function):
    """Independent outputs, but gradients that depend on the other rows."""

    @staticmethod
    def forward(ctx: object, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> Tensor:  # type: ignore[override]
        return gradient * len(gradient)


def test_independent_rows() -> None:
    for dtype in (torch.float32, torch.float64):
        assert mixed(torch.sin, dtype) is None
        assert mixed(lambda x: torch.relu(x).cumsum(1), dtype) is None


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda x: x - x.mean(dim=0), "the output of row 0 depends on row 1 in the batch"),
        (lambda x: x * (1 + 1e-6 * len(x)), "the output of row 0 depends on row 1 in the batch"),
        (OtherGradient.apply, "the gradient of row 0 depends on row 1 in the batch"),
        (lambda x: x if len(x) < 3 else x.flip(0), "the output of row 2 depends on 2 others in the batch"),
        (lambda x: x[:1], "it does not answer one row for each row of a batch: for 2 rows it returns [1, 5]"),
        (lambda x: x.view(1, -1) if len(x) == 1 else x.view(1, 5), "it raises RuntimeError on 2 rows at once"),
    ],
)
def test_mixing_is_named(function: object, reason: str) -> None:
    found = mixed(function)
    assert found is not None
    assert found.startswith(reason)


def test_rounding_in_float32_is_no_mixing() -> None:
    """A difference that float64 does not show is rounding."""
    assert mixed(lambda x: x * (1 + (1e-3 * len(x) if x.dtype == torch.float32 else 0)), torch.float32) is None


def test_a_model_without_a_backward_pass_is_tested_forward() -> None:
    class NoBackward(torch.autograd.Function):
        @staticmethod
        def forward(ctx: object, x: Tensor) -> Tensor:
            return x.clone()

        @staticmethod
        def backward(ctx: object, gradient: Tensor) -> Tensor:  # type: ignore[override]
            raise NotImplementedError

    assert mixed(NoBackward.apply) is None
    assert mixed(lambda x: NoBackward.apply(x - x.mean(dim=0))) is not None


def test_run_rows_requires_one_output_with_all_rows() -> None:
    x = torch.ones(2, 3)
    assert torch.equal(run_rows(nn.Identity(), (x,), 1).outputs[0], x)
    for function in (lambda x: x[:1], lambda x: (x, x), lambda x: x.sum(), lambda x: "text"):
        with pytest.raises(RowCountError, match="for 2 rows it returns"):
            run_rows(Function(function), (x,), 1)
