"""A first look at parsed JSON, before pydantic sees it.

Pydantic collects every error it finds, at about a kilobyte each, so that a body of millions of wrong numbers would fill
the memory. Here the first wrong element of a long array ends the request, and the number of other values is bounded.
"""

import math
from collections.abc import Iterable
from typing import Any

from schemas.errors import InvalidRequest
from schemas.nested import flattened, is_nested
from service.validation.document.field_errors import short

LONG = 1_000  # from this length on a container can only hold a tensor's numbers or a row's features
MAX_NODES = 50_000  # values outside such containers
NUMBERS = {int, float}
Location = list[str | int]


def check_bulk(document: Any) -> None:
    """Refuse documents that are cheap to send and dear to validate.

    Raises:
        InvalidRequest: a long array or object holds something else than finite numbers, or there are too many values.
    """
    nodes = 0
    waiting: list[tuple[Location, Any]] = [([], document)]
    while waiting:
        loc, value = waiting.pop()
        nodes += 1
        if not isinstance(value, dict | list):
            continue
        if loc and loc[-1] == "data" and is_nested(value):
            value = _numbers(loc, value)
        if len(value) >= LONG:
            _check_numbers(loc, value)
            continue
        if nodes + len(value) > MAX_NODES:
            raise InvalidRequest(f"The body holds more than {MAX_NODES} values outside of tensors.")
        waiting.extend(([*loc, key], child) for key, child in _items(value))


def _numbers(loc: Location, nested: dict[str, Any] | list[Any]) -> list[Any]:
    """The elements of a tensor's nested data, which are a tensor's numbers however they are grouped."""
    try:
        flat: list[Any] = flattened(nested)
    except ValueError as error:
        raise InvalidRequest.at(short(loc), str(error)) from None
    return flat


def _check_numbers(loc: Location, container: dict[str, Any] | list[Any]) -> None:
    """All elements are finite numbers, or the first that is not is named."""
    values = container.values() if isinstance(container, dict) else container
    if set(map(type, values)) <= NUMBERS and _all_finite(values):
        return
    for key, value in _items(container):
        if type(value) not in NUMBERS:
            raise InvalidRequest.at(short([*loc, key]), f"an array or object of {LONG} or more may hold only numbers")
        if not _all_finite((value,)):
            raise InvalidRequest.at(short([*loc, key]), "a finite number is needed")


def _all_finite(values: Iterable[Any]) -> bool:
    try:
        return all(map(math.isfinite, values))
    except OverflowError:  # an integer beyond the range of a double
        return False


def _items(container: dict[str, Any] | list[Any]) -> Iterable[tuple[str | int, Any]]:
    return container.items() if isinstance(container, dict) else enumerate(container)
