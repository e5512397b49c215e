"""The numbers of feature masks made dense: methods walk or draw from every number up to the highest. Pure."""

import numpy as np

from service.validation.tensors import Array


def numbered_densely(masks: list[Array]) -> list[Array]:
    """The masks with the features of each example numbered 0, 1, … in the order of the numbers given.

    A number is a name: within an example, elements of one number stay one feature, in all masks together. An example
    has names of its own, so that its answer does not depend on the examples beside it; a mask of one row holds for all.

    Args:
        masks: (1 or examples, …) int64 each; one per input of the model.
    """
    shared = _names([mask for mask in masks if len(mask) == 1])
    rows = max(map(len, masks), default=1)
    own = [_names([mask[row] for mask in masks if len(mask) > 1]) for row in range(rows)]
    orders = [np.union1d(shared, names) for names in own]
    places = [np.searchsorted(order, shared) for order in orders]
    if any(not np.array_equal(place, places[0]) for place in places):  # the shared mask needs the same in every row
        orders = [np.concatenate([shared, np.setdiff1d(names, shared)]) for names in own]
    return [np.stack([_places(order, part) for order, part in zip(orders, mask, strict=False)]) for mask in masks]


def _names(parts: list[Array]) -> Array:
    """The numbers that occur, ascending."""
    return np.unique(np.concatenate([part.ravel() for part in parts])) if parts else np.empty(0, dtype=np.int64)


def _places(order: Array, numbers: Array) -> Array:
    """Where each number stands in the order, which holds it once. A number may be of any size."""
    ascending = np.argsort(order)
    places: Array = ascending[np.searchsorted(order, numbers, sorter=ascending)].astype(np.int64)
    return places
