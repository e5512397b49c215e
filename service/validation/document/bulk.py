"""Bounds the size of a parsed document before pydantic validates it.

Pydantic collects every error, at about a kilobyte each, so a body of millions of wrong numbers would fill the memory.
Here the first wrong element of a long array ends the check, and the number of other values is bounded.
"""

import math
from collections.abc import Iterable
from typing import Any

from schemas.errors import InvalidRequest
from schemas.nested import flattened, is_nested
from schemas.sentences import Sentence
from service.tuning import LONG_CONTAINER_LENGTH, MAX_DOCUMENT_VALUES
from service.validation.document.field_errors import short

NUMBERS = {int, float}
Location = list[str | int]


def check_bulk(document: Any) -> None:
    """Refuse documents that would take too much memory or time to validate.

    Raises:
        InvalidRequest: a long array or object holds values other than finite numbers, or there are too many values.
    """
    values_seen = 0
    pending: list[tuple[Location, Any]] = [([], document)]
    while pending:
        loc, value = pending.pop()
        values_seen += 1
        if not isinstance(value, dict | list):
            continue
        if loc and loc[-1] == "data" and is_nested(value):
            value = _flat_numbers(loc, value)
        if len(value) >= LONG_CONTAINER_LENGTH:
            if isinstance(value, dict) and "features" not in loc:  # else pydantic has an error for each field
                raise InvalidRequest.at(
                    short(loc),
                    Sentence(
                        "an object has fewer than {most} fields",
                        most=LONG_CONTAINER_LENGTH,
                    ),
                )
            _check_numbers(loc, value)
            continue
        if values_seen + len(value) > MAX_DOCUMENT_VALUES:
            raise InvalidRequest(
                Sentence(
                    "The body holds more than {most} values outside tensors; send fewer.", most=MAX_DOCUMENT_VALUES
                )
            )
        pending.extend(([*loc, key], child) for key, child in _items(value))


def _flat_numbers(loc: Location, nested: dict[str, Any] | list[Any]) -> list[Any]:
    """The elements of a tensor's nested data as one list."""
    try:
        flat: list[Any] = flattened(nested)
    except ValueError as error:
        raise InvalidRequest.at(short(loc), error.args[0]) from None
    return flat


def _check_numbers(loc: Location, container: dict[str, Any] | list[Any]) -> None:
    """Check that all elements are finite numbers; else name the first that is not."""
    values = container.values() if isinstance(container, dict) else container
    types = set(map(type, values))
    # A sum of doubles is finite only if each of them is; it takes a fifth of the time of looking at each.
    if types == {float} and math.isfinite(sum(values)):
        return
    if types <= NUMBERS and _all_finite(values):
        return
    for key, value in _items(container):
        if type(value) not in NUMBERS:
            raise InvalidRequest.at(
                short([*loc, key]),
                "an array or object this long may hold only numbers",
            )
        if not _all_finite((value,)):
            raise InvalidRequest.at(short([*loc, key]), "a finite number is needed")


def _all_finite(values: Iterable[Any]) -> bool:
    try:
        return all(map(math.isfinite, values))
    except OverflowError:  # an integer beyond the range of a double
        return False


def _items(container: dict[str, Any] | list[Any]) -> Iterable[tuple[str | int, Any]]:
    return container.items() if isinstance(container, dict) else enumerate(container)
