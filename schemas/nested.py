"""Flattens nested arrays of a tensor's numbers, which the Open Inference Protocol allows. Pure."""

from math import prod
from typing import Any

from schemas.limits import MAX_TENSOR_ELEMENTS, MAX_TENSOR_RANK
from schemas.sentences import Sentence


def is_nested(value: Any) -> bool:
    """Whether the value is a list whose first element is a list. `flattened` checks the other elements."""
    return isinstance(value, list) and bool(value) and isinstance(value[0], list)


def flattened(value: Any, shape: list[int] | None = None) -> Any:
    """Nested lists as one row-major list; other values unchanged.

    Args:
        value: any JSON value.
        shape: the tensor's declared shape; None if it is absent or invalid.

    Raises:
        ValueError: the lists are ragged, have too many dimensions or elements, or are not nested like `shape`.
    """
    if not is_nested(value):
        return value
    extents = _extents(value)
    if len(extents) > MAX_TENSOR_RANK:
        raise ValueError(
            Sentence(
                "nested {depth} deep, at most {most} levels are accepted", depth=len(extents), most=MAX_TENSOR_RANK
            )
        )
    if prod(extents) > MAX_TENSOR_ELEMENTS:  # before a list of that size is allocated
        raise ValueError(
            Sentence(
                "nested as {extents}: {elements} elements, at most {most} are accepted",
                extents=extents,
                elements=prod(extents),
                most=MAX_TENSOR_ELEMENTS,
            )
        )
    flat: list[Any] = value
    for extent in extents[1:]:
        if any(not isinstance(part, list) or len(part) != extent for part in flat):
            raise ValueError("ragged: lists of one level of nesting must be of equal length")
        flat = [element for part in flat for element in part]
    if any(isinstance(element, list) for element in flat):
        raise ValueError("ragged: some elements are lists and some are not")
    if shape is not None and extents != shape:
        raise ValueError(Sentence("nested as {extents}, but the shape is {shape}", extents=extents, shape=shape))
    return flat


def _extents(value: Any) -> list[int]:
    """The lengths along the first elements, to one level beyond the deepest accepted."""
    extents: list[int] = []
    while isinstance(value, list) and len(extents) <= MAX_TENSOR_RANK:
        extents.append(len(value))
        value = value[0] if value else None
    return extents
