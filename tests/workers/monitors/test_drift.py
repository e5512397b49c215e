"""What monitors find in streams with and without drift, through the real counters and a real store."""

import pytest
from scipy.stats import chi2

from broker import JobStore
from tests.workers.monitors.streams import COLUMNS, Feeder, made, seen, stream

pytestmark = pytest.mark.anyio
ALERT = 0.90
JOBS_AT_ONCE = 250  # between two reports of a worker
# Without drift the index of 10 bins is (1/n + 1/m) times chi-squared with 9 degrees of freedom. Of 500 against 500 it
# exceeds 0.2 with a probability of 1e-7; the tests look at some thousands of them.
STABLE = 0.2
SHIFTED = 2  # the third feature, one of the lightest


def test_the_bound_is_far_above_chance() -> None:
    assert chi2.sf(STABLE / (1 / 500 + 1 / 500), df=9) < 2e-7


async def test_a_shift_of_the_third_feature_is_found_and_no_other(store: JobStore, feeder: Feeder) -> None:
    await made(store)
    feeder.learn()
    rows = stream(1, 2_000)
    rows[1_000:, SHIFTED] += 5.0  # 100 standard deviations of its input, by its weight of 0.05
    feeder.rows(rows[:1_000])
    feeder.tell()
    before = (await seen(store)).statistics
    assert before is not None
    assert before.ndcg > 0.99
    assert before.psi_max < STABLE
    feeder.rows(rows[1_000:])
    feeder.tell()
    record = await seen(store)
    after = record.statistics
    assert after is not None
    assert (record.reference_count, record.observed, record.full_parts) == (500, 1_500, 30)
    assert after.ndcg < ALERT
    found = {one.name: one for one in after.features}
    shifted = found.pop(COLUMNS[SHIFTED])
    assert shifted.psi > 10 * STABLE
    assert (shifted.reference_rank, shifted.window_rank) == (8, 1)
    assert max(one.psi for one in found.values()) < STABLE
    assert after.psi_score is not None
    assert after.psi_score > STABLE
    assert (await store.monitors.figures())["m"] == {
        "ndcg": after.ndcg,
        "psi_max": after.psi_max,
        "psi_score": after.psi_score,
    }


@pytest.mark.parametrize("seed", range(20))
async def test_a_stream_without_drift_raises_nothing(store: JobStore, feeder: Feeder, seed: int) -> None:
    await made(store)
    feeder.learn()
    rows = stream(100 + seed, 2_000)
    windows = 0
    for start in range(0, len(rows), JOBS_AT_ONCE):
        feeder.rows(rows[start : start + JOBS_AT_ONCE])
        feeder.tell()
        statistics = (await seen(store)).statistics
        if statistics is not None:
            windows += 1
            assert statistics.ndcg > 0.99
            assert statistics.psi_max < STABLE
            assert statistics.psi_score is not None
            assert statistics.psi_score < STABLE
    assert windows == 5
