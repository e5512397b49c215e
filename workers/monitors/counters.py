"""The counters of one part of a window: whole numbers at fixed places, so that parts of any worker add up."""

import sys
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from workers.monitors.explanations import Explanation
from workers.monitors.reference import Reference
from workers.monitors.tuning import BINS, MAX_SUM_UNITS, SUM_UNITS

Counts = NDArray[np.int64]


class Counters:
    """The places of the counters, which follow from the reference: explanations, those with a score, sums by feature,
    bins by feature, bins of the score; then for each class its explanations and its sums by feature."""

    def __init__(self, reference: Reference) -> None:
        features = len(reference.names)
        self._reference = reference
        self._features = features
        self._sums = 2
        self._bins = self._sums + features
        self._score_bins = self._bins + features * BINS
        self._classes = self._score_bins + BINS
        self.size = self._classes + len(reference.classes) * (features + 1)
        # the value of one unit of a sum
        self._unit = max(*reference.means, sys.float_info.min * SUM_UNITS) / SUM_UNITS

    def add(self, explanations: Sequence[Explanation], values: Sequence[NDArray[np.float32]]) -> Mapping[int, int]:
        """What explanations add, by place.

        Args:
            values: of each, by the features of the reference.
        """
        counts = np.zeros(self.size, np.int64)
        matrix = np.stack(values).astype(np.float64)
        with np.errstate(over="ignore"):  # where the reference has no attribution at all
            units = np.minimum(np.round(np.abs(matrix) / self._unit), MAX_SUM_UNITS).astype(np.int64)
        counts[0] = len(explanations)
        counts[self._sums : self._bins] = units.sum(axis=0)
        for feature, histogram in enumerate(self._reference.histograms):
            places = self._bins + feature * BINS + histogram.places(matrix[:, feature])
            np.add.at(counts, places, 1)
        self._add_scores(counts, explanations)
        for number, one in enumerate(self._reference.classes):
            own = [explanation.target == one.index for explanation in explanations]
            start = self._classes + number * (self._features + 1)
            counts[start] = sum(own)
            counts[start + 1 : start + 1 + self._features] = units[own].sum(axis=0)
        return {int(place): int(counts[place]) for place in np.flatnonzero(counts)}

    def read(self, parts: Sequence[bytes]) -> "WindowSums":
        """The sum of several parts as the store keeps them. A part that is short has zeros at its end.

        Raises:
            ValueError: a part is longer than this reference's counters.
        """
        total = np.zeros(self.size, np.int64)
        for part in parts:
            counts = np.frombuffer(part, ">i8")
            total[: len(counts)] += counts
        return WindowSums(self, total)

    def _add_scores(self, counts: Counts, explanations: Sequence[Explanation]) -> None:
        histogram = self._reference.score
        scores = np.array([one.score for one in explanations if one.score is not None], np.float64)
        if histogram is not None and len(scores):
            counts[1] = len(scores)
            np.add.at(counts, self._score_bins + histogram.places(scores), 1)


class WindowSums:
    """The counters of a window."""

    def __init__(self, layout: Counters, counts: Counts) -> None:
        self._layout = layout
        self._counts = counts
        self.count = int(counts[0])
        self.score_count = int(counts[1])

    def means(self) -> NDArray[np.float64]:
        """(features,), of magnitudes."""
        at = self._layout
        return self._counts[at._sums : at._bins] * at._unit / max(1, self.count)

    def bins(self, feature: int) -> Counts:
        start = self._layout._bins + feature * BINS
        return self._counts[start : start + BINS]

    def score_bins(self) -> Counts:
        at = self._layout
        return self._counts[at._score_bins : at._classes]

    def of_class(self, number: int) -> tuple[int, NDArray[np.float64]]:
        """The explanations of a class, and the means of its features, zeros without explanations."""
        at = self._layout
        start = at._classes + number * (at._features + 1)
        count = int(self._counts[start])
        return count, self._counts[start + 1 : start + 1 + at._features] * at._unit / max(1, count)
