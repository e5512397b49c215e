"""Counters of an engine."""

from workers.engine.stats import EngineStats


def test_passes_of_the_solo_lane_are_counted_with_all_and_apart() -> None:
    stats = EngineStats()
    stats.count_solo(12, 2)
    stats.count_shared(3)
    assert (stats.rows, stats.passes) == (15, 3)
    assert (stats.solo_rows, stats.solo_passes) == (12, 2)
