"""How far a window is from the reference: ranks of features, and distributions."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from schemas.monitors import ClassDrift, DriftStatistics, FeatureDrift, HeavyWord
from workers.monitors.counters import WindowSums
from workers.monitors.reference import Histogram, Reference
from workers.monitors.tuning import BINS, CHANCE_QUANTILE, MAX_NEW_WORDS, MIN_WORD_PARTS, PSEUDO_COUNT

Floats = NDArray[np.float64]


def ndcg(reference_means: ArrayLike, window_means: ArrayLike) -> float:
    """Normalized discounted cumulative gain of the features in the order of the window, from 0 to 1.

    The gain of a feature is its mean absolute attribution in the reference. Equal means of the window keep the order of
    the reference. 1 where the reference has no attribution at all.

    Source: Amazon SageMaker Clarify, "Feature attribution drift for models in production"; Järvelin and Kekäläinen,
    "Cumulated gain-based evaluation of IR techniques" (2002).
    """
    gains, window = np.asarray(reference_means, np.float64), np.asarray(window_means, np.float64)
    discounts = 1 / np.log2(np.arange(len(gains)) + 2)
    ideal = float(np.sort(gains)[::-1] @ discounts)
    found = float(gains[np.lexsort((-gains, -window))] @ discounts)
    return min(1.0, found / ideal) if ideal > 0 else 1.0


def psi(reference: ArrayLike, window: ArrayLike) -> float:
    """Population stability index of two histograms with the same bins: 0 for equal shares.

    Each bin counts half an explanation more than it has, so an empty one leaves the index finite.

    Source: Yurdakul, "Statistical properties of population stability index" (2018).
    """
    first, second = (np.asarray(counts, np.float64) + PSEUDO_COUNT for counts in (reference, window))
    p, q = first / first.sum(), second / second.sum()
    return float(((p - q) * np.log(p / q)).sum())


def psi_noise(reference_count: int, window_count: int) -> float:
    """The index of `BINS` bins that one in a thousand samples of one distribution exceeds.

    Without drift the index is distributed as (1/n + 1/m) times chi-squared with one degree of freedom less than there
    are bins (Yurdakul 2018); its quantile is that of Wilson and Hilferty (1931), right within 1 %.
    """
    freedom = BINS - 1
    spread = 2 / (9 * freedom)
    quantile = freedom * (1 - spread + CHANCE_QUANTILE * spread**0.5) ** 3
    return float(quantile * (1 / reference_count + 1 / window_count))


def drift_statistics(
    reference: Reference, window: WindowSums, words: Sequence[Mapping[str, float]] = ()
) -> DriftStatistics:
    """The statistics of a window, which holds at least one explanation.

    Args:
        words: the new words of each part of the window, by weight.
    """
    means = window.means()
    indexes = [_index(histogram, window.bins(feature)) for feature, histogram in enumerate(reference.histograms)]
    return DriftStatistics(
        ndcg=ndcg(reference.means, means),
        psi_max=max(indexes),
        psi_score=_index(reference.score, window.score_bins()) if reference.score and window.score_count else None,
        psi_noise=psi_noise(reference.count, window.count),
        kind=reference.kind,
        features=_features(reference, means, indexes),
        classes=[_class(reference, window, number) for number in range(len(reference.classes))],
        new_words=_new_words(words),
    )


def _index(histogram: Histogram, counts: NDArray[np.int64]) -> float:
    return psi(histogram.counts, counts[: len(histogram.counts)])


def _features(reference: Reference, means: Floats, indexes: Sequence[float]) -> list[FeatureDrift]:
    gains = np.array(reference.means)
    reference_ranks, window_ranks = _ranks(gains, gains), _ranks(means, gains)
    return [
        FeatureDrift(
            name=name,
            reference_mean=float(gains[index]),
            window_mean=float(means[index]),
            reference_rank=int(reference_ranks[index]),
            window_rank=int(window_ranks[index]),
            psi=indexes[index],
        )
        for index, name in enumerate(reference.names)
    ]


def _ranks(means: Floats, gains: Floats) -> NDArray[np.int64]:
    """1 for the largest mean; equal ones by their gains."""
    ranks = np.empty(len(means), np.int64)
    ranks[np.lexsort((-gains, -means))] = np.arange(1, len(means) + 1)
    return ranks


def _class(reference: Reference, window: WindowSums, number: int) -> ClassDrift:
    one = reference.classes[number]
    count, means = window.of_class(number)
    return ClassDrift(
        index=one.index,
        label=one.label,
        reference_count=one.count,
        window_count=count,
        ndcg=ndcg(one.means, means) if count else None,
        reference_means=one.means,
        window_means=means.tolist(),
    )


def _new_words(parts: Sequence[Mapping[str, float]]) -> list[HeavyWord]:
    """The heaviest words of several parts of the window."""
    weights: defaultdict[str, float] = defaultdict(float)
    held: defaultdict[str, int] = defaultdict(int)
    for part in parts:
        for word, weight in part.items():
            weights[word] += weight
            held[word] += 1
    heaviest = sorted((word for word in weights if held[word] >= MIN_WORD_PARTS), key=lambda word: -weights[word])
    return [HeavyWord(word=word, weight=weights[word]) for word in heaviest[:MAX_NEW_WORDS]]
