"""Attributions as pandas data frames. pandas is imported only here, when a frame is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attribution_client.wire.answers import Agreement, Cell, Explanation


def frame_of(explanation: Explanation, arrays: dict[str, NDArray[Any]], *, single: bool) -> Any:
    """The frame of one result. Raises `ImportError` without pandas."""
    pandas = _pandas()
    examples: Sequence[Sequence[Any]] | None = explanation.features or explanation.words
    if examples is not None:
        columns = ("name", "value", "score") if explanation.features else ("text", "start", "end", "score")
        rows = [
            {"example": number, **{column: getattr(one, column) for column in columns}}
            for number, example in enumerate(examples)
            for one in example
        ]
        frame = pandas.DataFrame(rows, columns=["example", *columns])
    else:
        frame = pandas.concat(
            [_elements(name, array, explanation) for name, array in arrays.items()], ignore_index=True
        )
        frame = frame if len(arrays) > 1 else frame.drop(columns="tensor")
    return frame.drop(columns="example") if single else frame


def _elements(name: str, array: NDArray[Any], explanation: Explanation) -> Any:
    """A row for each element of an array (examples, …); of a picture for each pixel, summed over channels."""
    is_picture = explanation.picture is not None and array.ndim == 4
    if is_picture:
        array = array.sum(axis=1)  # (examples, height, width)
    names = ["y", "x"] if is_picture else [f"axis_{place}" for place in range(array.ndim - 1)]
    places = np.indices(array.shape).reshape(array.ndim, -1)
    columns = {
        "tensor": name,
        "example": places[0],
        **dict(zip(names, places[1:], strict=True)),
        "score": array.ravel(),
    }
    return _pandas().DataFrame(columns)


def agreement_frame(cells: list[Cell], agreement: list[Agreement] | None) -> Any:
    """A row for each pair of cells, with what each is. Raises `ImportError` without pandas."""
    names = [str(cell.method.get("name", "")) for cell in cells]
    rows = [
        {
            "first": pair.cells[0],
            "second": pair.cells[1],
            "first_method": names[pair.cells[0]],
            "second_method": names[pair.cells[1]],
            "spearman": pair.spearman,
            "strongest_tenth": pair.strongest_tenth,
            "signs": pair.signs,
        }
        for pair in agreement or []
    ]
    columns = ["first", "second", "first_method", "second_method", "spearman", "strongest_tenth", "signs"]
    return _pandas().DataFrame(rows, columns=columns)


def _pandas() -> Any:
    try:
        return import_module("pandas")
    except ImportError as error:
        raise ImportError("to_frame() needs pandas: pip install pandas") from error
