"""What is no number is found wherever it stands."""

import math

import pytest
import torch

from workers.engine.numerics import all_finite


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_one_value_that_is_no_number_is_found_at_any_place(value: float, dtype: torch.dtype) -> None:
    for size in (1, 7, 64, 1_000):
        for place in {0, size // 2, size - 1}:
            tensor = torch.linspace(-1, 1, size).to(dtype)
            assert all_finite(tensor)
            tensor[place] = value
            assert not all_finite(tensor)


def test_extremes_integers_and_nothing_are_finite() -> None:
    largest = torch.finfo(torch.float32).max
    assert all_finite(torch.tensor([largest, largest, -largest]))  # whose sum is not
    assert all_finite(torch.arange(5))
    assert all_finite(torch.zeros(0, 3))
