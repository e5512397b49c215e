"""The size of a document is bounded before pydantic validates it."""

from typing import Any

import pytest

from schemas.errors import InvalidRequest
from service.tuning import LONG_CONTAINER_LENGTH, MAX_DOCUMENT_VALUES
from service.validation.document.bulk import check_bulk

NUMBERS = [0.5] * LONG_CONTAINER_LENGTH


@pytest.mark.parametrize(
    "document",
    [
        {"input": {"tensor": {"data": NUMBERS}}},
        {"input": {"tensor": {"data": [NUMBERS, NUMBERS]}}},
        {"input": {"tensor": {"data": [1e308] * LONG_CONTAINER_LENGTH}}},  # finite, though their sum is not
        {"input": {"tensor": {"data": [*NUMBERS, 10**300]}}},
        {"input": {"features": {str(index): 1 for index in range(LONG_CONTAINER_LENGTH)}}},
        {"input": {"features": ["x"] * (LONG_CONTAINER_LENGTH - 1)}},  # short enough for pydantic to report
    ],
)
def test_accepted(document: Any) -> None:
    check_bulk(document)


@pytest.mark.parametrize(
    ("data", "loc"),
    [
        ([*NUMBERS, "x"], ["input", "data", LONG_CONTAINER_LENGTH]),
        ([True, *NUMBERS], ["input", "data", 0]),
        ([*NUMBERS, 10**400], ["input", "data", LONG_CONTAINER_LENGTH]),
        ([10**400, -(10**400), *NUMBERS], ["input", "data", 0]),
        ([*NUMBERS, float("nan")], ["input", "data", LONG_CONTAINER_LENGTH]),
        ([*NUMBERS, float("inf"), float("-inf")], ["input", "data", LONG_CONTAINER_LENGTH]),
        ([NUMBERS, [*NUMBERS[:-1], "x"]], ["input", "data", 2 * LONG_CONTAINER_LENGTH - 1]),
        ([NUMBERS, NUMBERS[:-1]], ["input", "data"]),
    ],
)
def test_the_first_wrong_element_is_named(data: list[Any], loc: list[str | int]) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_bulk({"input": {"data": data}})
    assert caught.value.errors is not None
    assert [error.loc for error in caught.value.errors] == [loc]


def test_the_number_of_values_is_bounded() -> None:
    row = [0] * (LONG_CONTAINER_LENGTH - 1)
    with pytest.raises(InvalidRequest, match=f"more than {MAX_DOCUMENT_VALUES} values"):
        check_bulk({"a": [row] * (MAX_DOCUMENT_VALUES // len(row) + 1)})
