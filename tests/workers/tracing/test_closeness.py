"""Distances between tensors."""

import math

import pytest
import torch

from workers.tracing.closeness import distance, is_close, largest, norm, norm_distance

NAN, INF = math.nan, math.inf


def t(*values: float, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.tensor(values, dtype=dtype)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (t(1, 2), t(1, 2), 0),
        (t(1, 2), t(1, 4), 0.5),
        (t(NAN, INF, 1), t(NAN, INF, 3), 0.5),
        (t(INF), t(-INF), INF),
        (t(INF), t(1), INF),
        (t(NAN), t(1), INF),
        (t(1, 2), t(1), INF),
        (t(), t(), 0),
        (torch.tensor([True]), torch.tensor([False]), 0.25),
    ],
)
def test_distance(one: torch.Tensor, other: torch.Tensor, expected: float) -> None:
    assert distance(one, other, 4.0) == expected
    assert distance(other, one, 4.0) == expected


def test_norm_distance() -> None:
    assert norm_distance(t(3, 0), t(0, 4), 10.0) == pytest.approx(0.5)
    assert norm_distance(t(INF, 0), t(INF, 4), 2.0) == pytest.approx(2.0)
    assert norm_distance(t(INF), t(0), 1.0) == INF


def test_sizes_leave_out_what_is_not_finite() -> None:
    assert largest(t(1, -3, INF, NAN)) == 3
    assert largest(t()) == 0
    assert largest(torch.tensor([[-7, 2]])) == 7
    assert norm(t(3, 4, -INF)) == 5


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_close_is_relative_to_the_largest_expected_value(dtype: torch.dtype) -> None:
    expected = t(1000, 1, dtype=dtype)
    assert is_close(expected, t(1000, 1.005, dtype=dtype), 1e-5)
    assert not is_close(expected, t(1000, 1.02, dtype=dtype), 1e-5)
    zeros = t(0, 0, dtype=dtype)
    assert is_close(zeros, zeros.clone(), 0.0)
    assert not is_close(zeros, t(0, 1e-30, dtype=dtype), 1e-5)


def test_integers_must_be_equal() -> None:
    large = torch.tensor([10**9])
    assert is_close(large, large.clone(), 1.0)
    assert not is_close(large, large + 1, 1.0)
