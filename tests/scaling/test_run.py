"""Real workers from none to three and back, twice, with kills in between."""

from pathlib import Path

import pytest

from tests.scaling.run import JOBS, RULE, run_bursts


@pytest.mark.anyio
@pytest.mark.long
async def test_bursts_start_workers_and_their_end_stops_them(tmp_path: Path) -> None:
    report = await run_bursts(tmp_path / "service")
    assert report.faults == []
    assert report.ended_twice == 0
    assert sum(report.succeeded.values()) == 2 * JOBS
    for number, burst in enumerate(report.bursts, start=1):
        assert burst.statuses == {"succeeded": JOBS}
        assert burst.most_workers == RULE.most
        assert burst.killed == number
        assert 0 < burst.first_answer_s < burst.last_answer_s < burst.back_to_none_s
        assert burst.starts_in_s
    assert [look.wanted for look in report.looks][-1] == 0
