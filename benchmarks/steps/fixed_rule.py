"""Errors of Gauss-Legendre with each fixed count, interpolated from the reference's points.

A gradient between two points is not their mean: along the path, gradients vary like a Brownian motion. The map error
therefore includes the variance of the Brownian bridge, share (1 - share) |right - left|^2. Without it the fixed rule's
map error would look smaller than it is, most of all for few points.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from benchmarks.steps.reference import Floats, Reference

COUNTS = [*range(1, 129), *range(132, 257, 4), *range(272, 513, 16)]  # fixed counts that are compared


@cache
def legendre(count: int) -> tuple[Floats, Floats]:
    """Nodes in [-1, 1] and weights."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return nodes, weights


def fixed_rule_errors(reference: Reference) -> Floats:
    """(counts, 2) completeness and map errors for each of `COUNTS`."""
    whole = reference.sketch(reference.map.float().unsqueeze(0)).numpy()[0]
    bridges = np.square(np.diff(reference.sketches, axis=0)).sum(axis=1)  # (gaps,)
    alphas = reference.alphas
    errors = []
    for count in COUNTS:
        nodes, weights = legendre(count)
        spread = np.zeros(len(alphas))  # the rule's weights, moved to the reference's points
        at = (nodes + 1) / 2
        left = np.searchsorted(alphas, at, side="right") - 1
        share = (at - alphas[left]) / (alphas[left + 1] - alphas[left])
        np.add.at(spread, left, weights / 2 * (1 - share))
        np.add.at(spread, left + 1, weights / 2 * share)
        missed = np.square(spread @ reference.sketches - whole).sum()
        missed += (np.square(weights / 2) * share * (1 - share) * bridges[left]).sum()
        completeness = abs(spread @ reference.slopes - reference.difference) / abs(reference.difference)
        errors.append([completeness, np.sqrt(missed) / np.linalg.norm(whole)])
    return np.array(errors)


def counts_of_equal_error(curve: Floats, completeness: float, l2: float, tolerance: float) -> dict[str, int]:
    """The smallest counts on `curve` in the five senses of `benchmarks.steps`."""
    good: NDArray[np.bool_] = np.less_equal(curve, np.array([completeness, l2]))
    return {
        "both": _first(good[:, 0] & good[:, 1]),
        "within": _first((curve[:, 0] <= tolerance) & good[:, 1]),
        "map": _first(good[:, 1]),
        "first": _first(good[:, 0]),
        "stays": _stays(good[:, 0]),
    }


def _first(good: NDArray[np.bool_]) -> int:
    """The first good count, or the largest if none is."""
    return int(COUNTS[int(good.argmax())] if good.any() else COUNTS[-1])


def _stays(good: NDArray[np.bool_]) -> int:
    """The first count after the last bad one, or the largest."""
    bad = np.flatnonzero(~good)
    index = int(bad[-1]) + 1 if len(bad) else 0
    return int(COUNTS[min(index, len(COUNTS) - 1)])
