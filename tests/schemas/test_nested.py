"""Nested arrays become flat ones."""

from typing import Any

import pytest

from schemas.limits import MAX_TENSOR_RANK
from schemas.nested import flattened, is_nested


@pytest.mark.parametrize("value", [3, "x", None, {}, [], [1, 2], [1, [2]]])
def test_values_that_are_not_nested_stay_as_they_are(value: Any) -> None:
    assert not is_nested(value)
    assert flattened(value) is value


def test_row_major_order() -> None:
    assert flattened([[1, 2, 3], [4, 5, 6]]) == [1, 2, 3, 4, 5, 6]
    assert flattened([[[1], [2]], [[3], [4]]], [2, 2, 1]) == [1, 2, 3, 4]
    assert flattened([[], []], [2, 0]) == []


@pytest.mark.parametrize(
    ("value", "shape", "message"),
    [
        ([[1, 2], [3]], None, "ragged"),
        ([[1, 2], 3], None, "ragged"),
        ([[1, [2]], [3, 4]], None, "some elements are lists"),
        ([[1, 2], [3, 4]], [4], r"nested as \[2, 2\], but the shape is \[4\]"),
        ([[0] * 5_000, *[[]] * 4_999], None, "elements, at most"),
    ],
)
def test_other_nestings_are_refused(value: Any, shape: list[int] | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        flattened(value, shape)


def test_depth_is_bounded() -> None:
    value: Any = [1]
    for _ in range(MAX_TENSOR_RANK - 1):
        value = [value]
    assert flattened(value) == [1]
    with pytest.raises(ValueError, match=f"at most {MAX_TENSOR_RANK} levels"):
        flattened([value])
