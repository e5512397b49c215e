"""Renumbers feature masks without gaps, because methods visit every number up to the highest. Pure."""

import numpy as np

from service.validation.tensors import Array


def numbered_densely(masks: list[Array]) -> list[Array]:
    """The masks with the features of each example numbered 0, 1, … in the order of the numbers given.

    A number is a name: within an example, elements of one number stay one feature, across all masks. Each example is
    numbered independently, so that its result does not depend on the other examples. A mask of one row applies to all
    examples.

    Args:
        masks: (1 or examples, …) int64 each; one per input of the model.
    """
    shared = _distinct([mask for mask in masks if len(mask) == 1])
    rows = max(map(len, masks), default=1)
    own = [_distinct([mask[row] for mask in masks if len(mask) > 1]) for row in range(rows)]
    orders = [np.union1d(shared, names) for names in own]
    places = [np.searchsorted(order, shared) for order in orders]
    if any(not np.array_equal(place, places[0]) for place in places):  # a shared mask has one numbering for all rows
        orders = [np.concatenate([shared, np.setdiff1d(names, shared)]) for names in own]
    return [np.stack([_positions(order, part) for order, part in zip(orders, mask, strict=False)]) for mask in masks]


def _distinct(parts: list[Array]) -> Array:
    """The numbers that occur, in ascending order."""
    return np.unique(np.concatenate([part.ravel() for part in parts])) if parts else np.empty(0, dtype=np.int64)


def _positions(order: Array, numbers: Array) -> Array:
    """The position of each number in `order`, which holds every number once."""
    ascending = np.argsort(order)
    places: Array = ascending[np.searchsorted(order, numbers, sorter=ascending)].astype(np.int64)
    return places
