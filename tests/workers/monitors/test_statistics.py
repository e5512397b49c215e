"""The formulas against other implementations, and at their limits."""

import numpy as np
import pytest
from scipy.stats import chi2
from sklearn.metrics import ndcg_score

from workers.monitors.statistics import ndcg, psi, psi_noise


def test_ndcg_is_that_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    for size in (2, 5, 30):
        gains, window = random.random(size), random.random(size)
        assert ndcg(gains, window) == pytest.approx(ndcg_score([gains], [window]), rel=1e-12)


def test_ndcg_of_the_example_of_clarify() -> None:
    """Ranks that are reversed: (0.05 + 0.50 / log2 3 + 0.70 / 2) / (0.70 + 0.50 / log2 3 + 0.05 / 2)."""
    assert ndcg([0.70, 0.50, 0.05], [0.10, 0.20, 0.70]) == pytest.approx(0.71546 / 1.04047, abs=1e-4)


@pytest.mark.parametrize(
    ("reference", "window", "expected"),
    [
        ([3, 2, 1], [30, 20, 10], 1.0),  # the scale does not matter
        ([1, 1, 1], [1, 2, 3], 1.0),  # nor do ranks of equal features
        ([3, 2, 1], [1, 1, 1], 1.0),  # equal means keep the order of the reference
        ([0, 0], [1, 2], 1.0),  # nothing was attributed
        ([5], [0], 1.0),
    ],
)
def test_ndcg_at_its_limits(reference: list[float], window: list[float], expected: float) -> None:
    assert ndcg(reference, window) == pytest.approx(expected, abs=1e-12)


def test_psi_by_hand_and_with_an_empty_bin() -> None:
    p, q = np.array([50.5, 50.5]) / 101, np.array([80.5, 20.5]) / 101
    assert psi([50, 50], [80, 20]) == pytest.approx(float(((p - q) * np.log(p / q)).sum()), rel=1e-12)
    assert psi([5, 95], [5, 95]) == 0
    assert 1 < psi([50, 50], [100, 0]) < 10
    assert psi([10, 90], [90, 10]) == pytest.approx(psi([90, 10], [10, 90]))


def test_the_noise_is_the_quantile_of_chi_squared() -> None:
    exact = float(chi2.ppf(0.999, df=9)) * (1 / 500 + 1 / 200)
    assert psi_noise(500, 200) == pytest.approx(exact, rel=0.01)


def test_one_in_a_thousand_samples_exceeds_the_noise() -> None:
    """10,000 samples; by the binomial distribution from 0 to 30 exceed it with a probability above 1 - 1e-6."""
    random = np.random.default_rng(3)
    shares = np.full(10, 0.1)
    reference, window = random.multinomial(500, shares, 10_000), random.multinomial(500, shares, 10_000)
    bound = psi_noise(500, 500)
    assert sum(psi(*pair) > bound for pair in zip(reference, window, strict=True)) <= 30
