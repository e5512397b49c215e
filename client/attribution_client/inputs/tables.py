"""Rows of a table: dictionaries, rows and frames of pandas and polars, and arrays with the columns of the model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Real
from typing import Any

from numpy.typing import NDArray

from attribution_client.errors import InputError
from attribution_client.wire.answers import ModelCard

Row = dict[str, float]


def is_frame(given: Any) -> bool:
    """Whether this is a data frame: it has named columns and can give its rows as dictionaries."""
    return hasattr(given, "columns") and (hasattr(given, "to_dicts") or hasattr(given, "to_dict"))


def is_series(given: Any) -> bool:
    """Whether this is one row of a pandas frame."""
    return hasattr(given, "index") and hasattr(given, "to_dict") and not is_frame(given)


def rows_of_frame(frame: Any) -> list[Row]:
    """The rows of a frame. Raises `InputError` where a cell is no finite number."""
    records = frame.to_dicts() if hasattr(frame, "to_dicts") else frame.to_dict("records")
    return [row_of(record, position) for position, record in enumerate(records)]


def row_of(mapping: Mapping[Any, Any], position: int | None = None) -> Row:
    """A row with plain numbers.

    Raises:
        InputError: a value is no finite number. The message names the column, and the row if it has a position.
    """
    place = "" if position is None else f"row {position}, "
    row = {}
    for name, value in mapping.items():
        number = value.item() if hasattr(value, "item") else value
        if not isinstance(number, Real) or not math.isfinite(number):
            raise InputError(f"{place}column {name!r}: {value!r} is not a finite number")
        row[str(name)] = float(number)
    return row


def rows_of_array(array: NDArray[Any], card: ModelCard) -> list[Row]:
    """Rows (columns) or (rows, columns) in the order and units of the model's table.

    Raises:
        InputError: the model names no columns, or the array has another number of them.
    """
    names = [feature.name for feature in (card.input.features if card.input else None) or []]
    table = array[None] if array.ndim == 1 else array
    if not names:
        raise InputError(f"model {card.name!r} names no columns; give rows as dictionaries")
    if table.ndim != 2 or table.shape[1] != len(names):
        raise InputError(f"an array of shape {array.shape} is no table of the {len(names)} columns of {card.name!r}")
    return [row_of(dict(zip(names, row, strict=True)), position) for position, row in enumerate(table.tolist())]


def rows_of_json(document: Any, where: str) -> list[Row] | Row:
    """A row, or a list of rows, that was read from a file."""
    if isinstance(document, Mapping):
        return row_of(document)
    if isinstance(document, list) and document and all(isinstance(one, Mapping) for one in document):
        return [row_of(one, position) for position, one in enumerate(document)]
    raise InputError(f"{where} holds neither a row {{name: value}} nor a list of rows")
