"""How long a row takes a worker, lately."""

import pytest

from schemas.model_key import ModelKey
from workers.engine.stats import EngineStats
from workers.jobs.ahead import RowPace
from workers.jobs.tuning import ROW_PACE_ROWS

MODEL = ModelKey("model", "1")


def test_a_model_that_has_computed_nothing_is_absent() -> None:
    pace = RowPace()
    pace.observe(MODEL, EngineStats())
    pace.observe(MODEL, EngineStats(rows=128))  # launched, and not done
    assert pace.row_s() == {}


def test_the_pace_is_that_of_the_passes() -> None:
    pace = RowPace()
    for count in range(1, 5):
        pace.observe(MODEL, EngineStats(rows=128 * count, seconds=0.032 * count))
        pace.observe(MODEL, EngineStats(rows=128 * count, seconds=0.032 * count))  # nothing new
    assert pace.row_s() == {MODEL: pytest.approx(0.00025)}


def test_full_passes_outweigh_many_single_rows() -> None:
    pace, stats = RowPace(), EngineStats()
    for _ in range(100):
        stats.rows, stats.seconds = stats.rows + 1, stats.seconds + 0.001
        pace.observe(MODEL, stats)
    assert pace.row_s()[MODEL] == pytest.approx(0.001)
    stats.rows, stats.seconds = stats.rows + 8 * ROW_PACE_ROWS, stats.seconds + 8 * ROW_PACE_ROWS * 0.0002
    pace.observe(MODEL, stats)
    assert pace.row_s()[MODEL] == pytest.approx(0.0002, rel=0.01)


def test_a_model_that_was_loaded_again_goes_on() -> None:
    pace = RowPace()
    pace.observe(MODEL, EngineStats(rows=1_000, seconds=1.0))
    pace.observe(MODEL, EngineStats(rows=8 * ROW_PACE_ROWS, seconds=4.0))
    pace.observe(MODEL, EngineStats(rows=100, seconds=0.4))
    assert 0 < pace.row_s()[MODEL] < 0.004
