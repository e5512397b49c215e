"""The single inputs of a collection: the rows of a frame, the examples of an array, the elements of anything else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from attribution_client.errors import InputError
from attribution_client.inputs.arrays import is_array
from attribution_client.inputs.tables import is_frame, rows_of_frame


def each_input(given: Any) -> tuple[Iterator[Any], int | None]:
    """The inputs, one after another, and how many there are; None where that is not known before the end.

    Raises:
        InputError: this is one input, or no collection.
    """
    if is_frame(given):
        rows = rows_of_frame(given)
        return iter(rows), len(rows)
    if isinstance(given, (str, bytes, dict)) or not isinstance(given, Iterable):
        raise InputError(f"map() takes a collection of inputs, not one {type(given).__name__}; see explain()")
    count = len(given) if is_array(given) or hasattr(given, "__len__") else None  # type: ignore[arg-type]
    return iter(given), count
