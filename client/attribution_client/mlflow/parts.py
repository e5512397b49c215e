"""An example's attributions by part of its input: a feature of a table, a word, a region of a picture, an element."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from attribution_client.explained import Explained

Kind = Literal["feature", "word", "region", "element"]
GRID = 7  # regions along each side of a picture: 32 pixels each, of one with 224


@dataclass(frozen=True)
class Parts:
    """The parts of one example.

    Attributes:
        scores: (parts,), float64: the attribution of each; of a region the sum over its pixels and channels.
        names: of the features or words. None for regions and elements, whose names follow from `shapes`.
        values: of the features, in the table's own units.
        shapes: of the arrays that `scores` flattens, by name.
    """

    kind: Kind
    scores: NDArray[Any]
    names: Sequence[str] | None = None
    values: Sequence[float] | None = None
    shapes: tuple[tuple[str, tuple[int, ...]], ...] = ()

    def name(self, place: int) -> str:
        """The name of the part at a place of `scores`."""
        return element_name(self.kind, self.shapes, place) if self.names is None else self.names[place]

    def strongest(self, most: int) -> list[int]:
        """Places of the `most` parts with the largest attributions in size, in the order of the input."""
        if len(self.scores) <= most:
            return list(range(len(self.scores)))
        return sorted(int(place) for place in np.argsort(-np.abs(self.scores), kind="stable")[:most])


def parts_of(result: Explained, example: int = 0) -> Parts:
    """The parts of one example of a result."""
    explanation = result.explanation
    if explanation.features is not None:
        columns = explanation.features[example]
        scores = np.array([one.score for one in columns], np.float64)
        return Parts("feature", scores, [one.name for one in columns], [one.value for one in columns])
    if explanation.words is not None:
        words = explanation.words[example]
        return Parts("word", np.array([one.score for one in words], np.float64), [one.text for one in words])
    arrays = {name: array[example].astype(np.float64) for name, array in result.arrays.items()}
    if explanation.picture is not None and all(array.ndim == 3 for array in arrays.values()):
        return _flat("region", {name: regions(array.sum(axis=0)) for name, array in arrays.items()})
    return _flat("element", arrays)


def regions(pixels: NDArray[Any]) -> NDArray[Any]:
    """Sums over the regions of a map (height, width): at most (GRID, GRID), alike in size but for rounding."""
    for axis, length in enumerate(pixels.shape):
        edges = np.linspace(0, length, min(GRID, length) + 1).astype(int)[:-1]
        pixels = np.add.reduceat(pixels, edges, axis=axis)
    return pixels


def element_name(kind: Kind, shapes: Sequence[tuple[str, tuple[int, ...]]], place: int) -> str:
    """`row 1, column 7` of a region; `[0, 12]` of an element, after the name of its array where there are several."""
    for name, shape in shapes:
        if place < prod(shape):
            index = [int(one) for one in np.unravel_index(place, shape)]
            at = f"row {index[0] + 1}, column {index[1] + 1}" if kind == "region" else str(index)
            return f"{name} {at}" if len(shapes) > 1 else at
        place -= prod(shape)
    raise IndexError(place)


def _flat(kind: Kind, arrays: dict[str, NDArray[Any]]) -> Parts:
    shapes = tuple((name, array.shape) for name, array in arrays.items())
    return Parts(kind, np.concatenate([array.ravel() for array in arrays.values()]), shapes=shapes)
