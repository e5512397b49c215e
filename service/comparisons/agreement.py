"""How far two attributions of one input agree: ranks, strongest tenth, signs. Pure; bounded by `service.tuning`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from schemas.comparisons import Agreement
from service.comparisons.comparable import Comparable, Kind, Values, at_size

STRONGEST_SHARE = 0.1
Row = NDArray[np.float64]  # (elements,)


@dataclass(frozen=True, slots=True)
class _Profile:
    """What the figures take of one example of one cell.

    `ranks`: of the magnitudes, centred and of norm 1; None if all are equal. `strongest`: for each element, how much of
    it is in the strongest tenth.
    """

    ranks: Row | None
    strongest: Row
    signs: NDArray[np.int8]


def agreements(cells: Sequence[Comparable | None]) -> list[Agreement]:
    """One entry for each pair of cells over one input, in their order. None stands for a cell without attributions."""
    profiles = dict(_profiles(cells))
    return [
        _agreement((first, second), profiles[first], profiles[second])
        for first, second in combinations(sorted(profiles), 2)
        if _kind(cells[first]) == _kind(cells[second])
    ]


def _profiles(cells: Sequence[Comparable | None]) -> Iterator[tuple[int, list[_Profile]]]:
    """By the cell's number, one profile for each example. Maps of one input are enlarged to the largest of them."""
    sizes: dict[Kind, tuple[int, int]] = {}
    for cell in cells:
        if cell is not None and cell.values.ndim == 3:
            height, width = sizes.get(cell.input_kind, (0, 0))
            sizes[cell.input_kind] = max(height, cell.values.shape[1]), max(width, cell.values.shape[2])
    for number, cell in enumerate(cells):
        if cell is not None:
            size = sizes.get(cell.input_kind)
            rows: Values = cell.values if size is None else at_size(cell.values, size)
            yield number, [_profile(row) for row in rows]


def _kind(cell: Comparable | None) -> Kind:
    return None if cell is None else cell.input_kind


def _profile(row: Row) -> _Profile:
    magnitude = np.abs(row)
    return _Profile(_ranks(magnitude), _strongest(magnitude), np.sign(row).astype(np.int8))


def _ranks(magnitude: Row) -> Row | None:
    """Ranks as Spearman's correlation takes them: equal elements share the mean of their ranks."""
    _, places, counts = np.unique(magnitude, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    centred: Row = ranks - ranks.mean()
    norm = float(np.linalg.norm(centred))
    return centred / norm if norm > 0 else None


def _strongest(magnitude: Row) -> Row:
    """1 for elements in the strongest tenth, 0 for others and for zeros; elements at its edge that are equal share the
    places that are left, so that the figure does not depend on their order."""
    count = min(max(1, round(STRONGEST_SHARE * len(magnitude))), int(np.count_nonzero(magnitude)))
    if count == 0:
        return np.zeros(len(magnitude))
    edge = np.partition(magnitude, len(magnitude) - count)[len(magnitude) - count]
    above, at_edge = magnitude > edge, magnitude == edge
    weights: Row = above + at_edge * ((count - int(above.sum())) / int(at_edge.sum()))
    return weights


def _agreement(cells: tuple[int, int], first: Sequence[_Profile], second: Sequence[_Profile]) -> Agreement:
    pairs = list(zip(first, second, strict=True))
    return Agreement(
        cells=cells,
        spearman=_mean([_spearman(one, other) for one, other in pairs]),
        strongest_tenth=_mean([_shared_strongest(one, other) for one, other in pairs]),
        signs=_mean([_same_signs(one, other) for one, other in pairs]),
    )


def _spearman(one: _Profile, other: _Profile) -> float | None:
    if one.ranks is None or other.ranks is None:
        return None
    return min(1.0, max(-1.0, float(one.ranks @ other.ranks)))


def _shared_strongest(one: _Profile, other: _Profile) -> float | None:
    most = max(float(one.strongest.sum()), float(other.strongest.sum()))
    return min(1.0, float(np.minimum(one.strongest, other.strongest).sum()) / most) if most > 0 else None


def _same_signs(one: _Profile, other: _Profile) -> float | None:
    """Among elements that differ from 0 in both."""
    products = one.signs * other.signs
    compared = int(np.count_nonzero(products))
    return int((products > 0).sum()) / compared if compared else None


def _mean(figures: Sequence[float | None]) -> float | None:
    known = [figure for figure in figures if figure is not None]
    return sum(known) / len(known) if known else None
