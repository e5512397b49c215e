"""The reference of a monitor: what its explanations looked like, and the bins in which later ones are counted."""

import sys
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.base import Record
from schemas.limits import MAX_WATCHED_FEATURES
from schemas.monitors import FeatureKind
from workers.monitors.explanations import Explanation
from workers.monitors.tuning import (
    BIN_TOLERANCE,
    BINS,
    GRID,
    MAX_CLASSES,
    MAX_REFERENCE_WORDS,
    MIN_WORD_TEXTS,
)

OTHER_WORDS = "(other words)"  # brackets are no part of any word
Matrix = NDArray[np.float64]


class Histogram(Record):
    """A distribution. `bounds` are upper bounds of all bins but the last; there is one count more."""

    bounds: list[float]
    counts: list[int]

    @classmethod
    def of(cls, values: Matrix, tolerance: float) -> "Histogram":
        """Bins between the tenths of the values; fewer where many values are equal.

        Args:
            tolerance: by which bounds lie above the tenths, so that rounding moves no constant into another bin.
        """
        lowest, highest = float(values.min()), float(values.max())
        if highest - lowest <= tolerance:
            bounds = np.array([lowest - tolerance, highest + tolerance])
        else:
            bounds = np.unique(np.quantile(values, np.arange(1, BINS) / BINS)) + tolerance
            bounds = bounds[bounds < highest]
        counts = np.bincount(np.searchsorted(bounds, values), minlength=len(bounds) + 1)
        return cls(bounds=bounds.tolist(), counts=counts.tolist())

    def places(self, values: Matrix) -> NDArray[np.int64]:
        """The bin of each value."""
        return np.searchsorted(self.bounds, values)


class ReferenceClass(Record):
    """An explained class: how often it was, and the means of the features' magnitudes."""

    index: int
    label: str | None
    count: int
    means: list[float]


class Reference(Record):
    """What windows are compared with. `means` are of magnitudes."""

    kind: FeatureKind
    names: list[str]
    count: int
    means: list[float]
    histograms: list[Histogram]
    score: Histogram | None
    score_count: int
    classes: list[ReferenceClass]

    def values_of(self, one: Explanation, columns: Sequence[str] | None) -> NDArray[np.float32] | None:
        """The explanation by the features of this reference; None if it has others."""
        if one.kind != self.kind or (columns is not None and one.names and list(one.names) != list(columns)):
            return None
        values = _of_words(one, self.names) if self.kind == "words" else one.values
        return values if len(values) == len(self.names) and np.isfinite(values).all() else None


class Made(NamedTuple):
    """A reference, and how many explanations could not be used."""

    reference: Reference
    skipped: int


def make_reference(given: Sequence[Explanation], columns: Sequence[str] | None) -> Made | None:
    """The reference of these explanations, those of the most frequent form; None if there are none of at most
    `MAX_WATCHED_FEATURES` features.

    Args:
        columns: names of a table's columns.
    """
    forms = Counter((one.kind, len(one.values)) for one in given if np.isfinite(one.values).all())
    if not forms:
        return None
    (kind, size), _ = forms.most_common(1)[0]
    used = [one for one in given if (one.kind, len(one.values)) == (kind, size) and np.isfinite(one.values).all()]
    names = _heaviest_words(used) if kind == "words" else _names(kind, size, columns)
    if not 1 <= len(names) <= MAX_WATCHED_FEATURES:
        return None
    rows = [_of_words(one, names) for one in used] if kind == "words" else [one.values for one in used]
    matrix = np.stack(rows).astype(np.float64)
    means = np.abs(matrix).mean(axis=0)
    scores = np.array([one.score for one in used if one.score is not None], np.float64)
    reference = Reference(
        kind=kind,
        names=names,
        count=len(used),
        means=means.tolist(),
        histograms=[Histogram.of(column, _tolerance(means)) for column in matrix.T],
        score=Histogram.of(scores, _tolerance(np.abs(scores))) if len(scores) else None,
        score_count=len(scores),
        classes=_classes(used, np.abs(matrix)),
    )
    return Made(reference, len(given) - len(used))


def _tolerance(magnitudes: Matrix) -> float:
    """What is no difference beside the largest magnitude."""
    return float(max(BIN_TOLERANCE * magnitudes.max(), sys.float_info.min))


def _names(kind: FeatureKind, size: int, columns: Sequence[str] | None) -> list[str]:
    if kind == "columns" and columns is not None and len(columns) == size:
        return list(columns)
    if kind == "cells" and size == GRID * GRID:
        return [f"row {cell // GRID + 1}, column {cell % GRID + 1}" for cell in range(size)]
    return [f"{kind.removesuffix('s')} {index}" for index in range(size)]


def _heaviest_words(texts: Sequence[Explanation]) -> list[str]:
    """The heaviest words that several texts hold, and one name for all others."""
    weights: defaultdict[str, float] = defaultdict(float)
    holders: Counter[str] = Counter()
    for one in texts:
        holders.update(one.words.keys())
        for word, weight in one.words.items():
            weights[word] += weight
    common = [word for word in weights if holders[word] >= MIN_WORD_TEXTS]
    return [*sorted(common, key=lambda word: -weights[word])[:MAX_REFERENCE_WORDS], OTHER_WORDS]


def _of_words(one: Explanation, names: Sequence[str]) -> NDArray[np.float32]:
    """The magnitude of each of the words in a text, and of all others together."""
    own = [one.words.get(name, 0.0) for name in names[:-1]]
    others = sum(weight for word, weight in one.words.items() if word not in names) + one.other_words
    return np.array([*own, others], np.float32)


def _classes(used: Sequence[Explanation], magnitudes: Matrix) -> list[ReferenceClass]:
    labels: Mapping[int, str | None] = {one.target: one.label for one in used}
    targets = np.array([one.target for one in used])
    frequent = Counter(targets.tolist()).most_common(MAX_CLASSES)
    return [
        ReferenceClass(
            index=target,
            label=labels[target],
            count=count,
            means=magnitudes[targets == target].mean(axis=0).tolist(),
        )
        for target, count in frequent
    ]
