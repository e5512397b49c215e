"""Nested arrays of a tensor's numbers, as the Open Inference Protocol allows them, made flat. Pure."""

from math import prod
from typing import Any

from schemas.limits import MAX_TENSOR_ELEMENTS, MAX_TENSOR_RANK


def is_nested(value: Any) -> bool:
    """Whether the value is a list of lists. The first element tells; `flattened` looks at the others."""
    return isinstance(value, list) and bool(value) and isinstance(value[0], list)


def flattened(value: Any, shape: list[int] | None = None) -> Any:
    """Nested lists as one row-major list; everything else as it is.

    Args:
        value: any JSON value.
        shape: what the tensor says of itself; None if it says nothing valid.

    Raises:
        ValueError: ragged, of too many dimensions or elements, or not nested as `shape` says.
    """
    if not is_nested(value):
        return value
    extents = _extents(value)
    if len(extents) > MAX_TENSOR_RANK:
        raise ValueError(f"nested {len(extents)} deep, at most {MAX_TENSOR_RANK}")
    if prod(extents) > MAX_TENSOR_ELEMENTS:  # before any list of that size is made
        raise ValueError(f"nested as {extents}, which is {prod(extents)} elements, at most {MAX_TENSOR_ELEMENTS}")
    flat: list[Any] = value
    for extent in extents[1:]:
        if any(not isinstance(part, list) or len(part) != extent for part in flat):
            raise ValueError("ragged: lists of one level of nesting must be of equal length")
        flat = [element for part in flat for element in part]
    if any(isinstance(element, list) for element in flat):
        raise ValueError("ragged: some elements are lists and some are not")
    if shape is not None and extents != shape:
        raise ValueError(f"nested as {extents}, but the shape is {shape}")
    return flat


def _extents(value: Any) -> list[int]:
    """Lengths along the first elements, one deeper than is allowed at most."""
    extents: list[int] = []
    while isinstance(value, list) and len(extents) <= MAX_TENSOR_RANK:
        extents.append(len(value))
        value = value[0] if value else None
    return extents
