"""Converts tensors of a request to numpy arrays, and checks their shapes and values."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.errors import InvalidRequest
from schemas.models import InputCard
from schemas.sentences import Sentence, either, words
from schemas.tensors import NUMPY_DTYPES, Datatype, Tensor

Location = list[str | int]
Array = NDArray[Any]
EXACT_INTEGERS = 2**53  # JSON numbers beyond are not exact as doubles


def tensor_array(tensor: Tensor, datatype: Datatype, loc: Location) -> Array:
    """The tensor as an array of `datatype`, the model's.

    Raises:
        InvalidRequest: a value cannot be represented in the tensor's own datatype or the model's; names the element.
    """
    values = np.asarray(tensor.data, dtype=np.float64)
    array = _fitting(values, tensor.datatype, loc)
    if datatype != tensor.datatype:
        array = _fitting(values, datatype, loc)
    return array.reshape(tensor.shape)


def check_shape(
    shape: Sequence[int],
    expected: Sequence[int],
    rows: range | tuple[int, ...],
    loc: Location,
    whose: str = "the model takes",
) -> None:
    """Check that the shape is (one of `rows`, *expected).

    Raises:
        InvalidRequest: the shape is another; names the field.
    """
    if list(shape[1:]) != list(expected):
        raise InvalidRequest.at(
            [*loc, "shape"],
            Sentence(
                "{whose} ({expected}), not this shape",
                whose=words(whose),
                expected=", ".join(["n", *map(str, expected)]),
            ),
        )
    check_rows(shape, rows, loc)


def check_ids(array: Array, index: int, card: InputCard, loc: Location) -> None:
    """Check that each element of an input of ids is an id of the model's vocabulary.

    Raises:
        InvalidRequest: an element is not; names its index.
    """
    size = card.vocabularies[index] if card.vocabularies else None
    if size is not None:
        flat = array.reshape(-1)
        _refuse_first((flat < 0) | (flat >= size), Sentence("the model's ids run from 0 to {last}", last=size - 1), loc)


def check_rows(shape: Sequence[int], rows: range | tuple[int, ...], loc: Location) -> None:
    """Check that the first dimension is one of `rows`.

    Raises:
        InvalidRequest: it is another number.
    """
    if shape[0] not in rows:
        allowed = (
            Sentence("1 to {last}", last=rows[-1]) if isinstance(rows, range) else either(*map(str, sorted(set(rows))))
        )
        raise InvalidRequest.at(
            [*loc, "shape", 0], Sentence("{rows} rows; allowed here: {allowed}", rows=shape[0], allowed=allowed)
        )


def _fitting(values: NDArray[np.float64], datatype: Datatype, loc: Location) -> Array:
    """Flat values in a datatype; integers must be whole and in range, floats finite."""
    dtype = np.dtype(NUMPY_DTYPES[datatype])
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            array = values.astype(dtype)
        _refuse_first(~np.isfinite(array), Sentence("too large for {datatype}", datatype=datatype), loc)
        return array
    low, high = (0, 1) if dtype.kind == "b" else _range(dtype)
    _refuse_first(values != np.floor(values), Sentence("{datatype} needs whole numbers", datatype=datatype), loc)
    _refuse_first(
        (values < low) | (values > high),
        Sentence("out of range for {datatype}, {low} to {high}", datatype=datatype, low=low, high=high),
        loc,
    )
    return values.astype(dtype)


def _range(dtype: np.dtype[Any]) -> tuple[int, int]:
    info = np.iinfo(dtype)
    return max(int(info.min), -EXACT_INTEGERS), min(int(info.max), EXACT_INTEGERS)


def _refuse_first(wrong: NDArray[np.bool_], reason: str, loc: Location) -> None:
    if wrong.any():
        raise InvalidRequest.at([*loc, "data", int(wrong.argmax())], reason)
