"""Global importances: the mean absolute attribution of each part over the examples that were explained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attribution_client.mlflow.parts import Kind, Parts, element_name

Shapes = tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True)
class Importance:
    """One part: its mean absolute attribution, and how many attributions that is the mean of."""

    kind: Kind
    name: str
    mean_absolute: float
    count: int


class Importances:
    """Adds up absolute attributions, example by example.

    Words are the same part wherever they stand, in capitals or not. Regions are those of the picture as the model sees
    it. Elements and regions of arrays with other shapes are parts of their own.
    """

    def __init__(self) -> None:
        self._named: dict[tuple[Kind, str], tuple[float, int]] = {}
        self._arrays: dict[tuple[Kind, Shapes], tuple[NDArray[Any], int]] = {}

    def add(self, parts: Parts) -> None:
        """Adds one example."""
        absolute = np.abs(parts.scores)
        if parts.names is None:
            total, count = self._arrays.get((parts.kind, parts.shapes), (np.zeros_like(absolute), 0))
            self._arrays[parts.kind, parts.shapes] = (total + absolute, count + 1)
            return
        for name, score in zip(parts.names, absolute.tolist(), strict=True):
            key = parts.kind, name.casefold() if parts.kind == "word" else name
            summed, times = self._named.get(key, (0.0, 0))
            self._named[key] = (summed + score, times + 1)

    def strongest(self, most: int) -> list[Importance]:
        """At most `most` parts, the most important first."""
        found = [Importance(kind, name, total / n, n) for (kind, name), (total, n) in self._named.items()]
        for (kind, shapes), (totals, count) in self._arrays.items():
            for place in np.argsort(-totals, kind="stable")[:most].tolist():
                name = element_name(kind, shapes, place)
                found.append(Importance(kind, name, float(totals[place]) / count, count))
        return sorted(found, key=lambda one: -one.mean_absolute)[:most]

    def region_map(self) -> NDArray[Any] | None:
        """The regions' importances as a map (rows, columns), where all examples are pictures of one shape."""
        if self._named or len(self._arrays) != 1:
            return None
        ((kind, shapes), (totals, count)) = next(iter(self._arrays.items()))
        return (totals / count).reshape(shapes[0][1]) if kind == "region" and len(shapes) == 1 else None
