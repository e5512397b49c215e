"""Counters of an engine."""

import pytest

from workers.engine.stats import EngineStats


def test_only_what_succeeds_is_timed() -> None:
    stats = EngineStats()
    with pytest.raises(ValueError, match="no"), stats.timed():
        raise ValueError("no")
    assert stats.seconds == 0
    with stats.timed():
        pass
    assert stats.seconds > 0
    stats.count_solo(12, 2)
    stats.count_shared(3)
    assert (stats.rows, stats.passes) == (15, 3)
    assert (stats.solo_rows, stats.solo_passes) == (12, 2)
