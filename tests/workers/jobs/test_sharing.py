"""Which jobs a worker hands back for idle ones."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.jobs import JobSpec
from schemas.model_key import ModelKey
from tests.workers.jobs.claims import claimed
from workers.engine.stats import EngineStats
from workers.jobs.job import ClaimedJob
from workers.jobs.sharing import Sharing, left_rows, share_of
from workers.jobs.tuning import LEAST_SHARED_S, MOST_DONE_SHARE

KEY = ModelKey("m", "1")
ROWS = 1_000


def job(rows: int = ROWS, done: int = 0) -> ClaimedJob:
    """A job of so many rows, of which some are done."""
    spec = JobSpec(model="m", version="1", input_kind="features", examples=1, method={"name": "saliency"}, rows=rows)
    made = claimed(spec, b"")
    made.task.rows = done
    return made


def dones(jobs: Sequence[ClaimedJob]) -> list[int]:
    return [one.task.rows for one in jobs]


def test_as_many_rows_are_kept_as_each_idle_worker_gets() -> None:
    held = [job() for _ in range(6)]
    assert len(share_of(held, 1)) == 3
    assert len(share_of(held, 2)) == 4
    assert share_of(held, 0) == []


def test_those_that_have_come_least_far_go_first_and_none_that_is_half_done() -> None:
    assert dones(share_of([job(done=300), job(done=0), job(done=100), job(done=700)], 1)) == [0, 100]
    assert dones(share_of([job(done=600), job(done=501)], 3)) == []


def test_one_job_is_always_kept() -> None:
    assert len(share_of([job(), job()], 99)) == 1
    assert share_of([job()], 5) == []


jobs_drawn = st.lists(
    st.integers(1, 20_000).flatmap(lambda rows: st.builds(job, st.just(rows), st.integers(0, rows))), max_size=12
)


@given(jobs_drawn, st.integers(0, 8))
def test_never_all_never_half_done_and_never_much_more_than_their_share(held: list[ClaimedJob], idle: int) -> None:
    shared = share_of(held, idle)
    assert len(shared) < max(1, len(held))
    assert all(one.task.rows <= MOST_DONE_SHARE * (one.task.rows + left_rows(one)) for one in shared)
    wanted = sum(map(left_rows, held)) * idle / (idle + 1)
    largest = max(map(left_rows, held), default=0)
    assert sum(map(left_rows, shared)) <= wanted + largest / 2


class Worker:
    """What `Sharing` sees of a worker. `row_s`: the time of a row so far."""

    def __init__(self, held: list[ClaimedJob], row_s: float, idle: int) -> None:
        self.held, self.idle = held, idle
        self.asked: list[list[ModelKey]] = []
        self.handed: list[ClaimedJob] = []
        self.stats = EngineStats(rows=100, seconds=100 * row_s) if row_s else EngineStats()
        self.idle_workers = self

    def active(self) -> list[ClaimedJob]:
        return self.held

    def resident(self) -> dict[ModelKey, Any]:
        return {KEY: SimpleNamespace(engine=SimpleNamespace(stats=self.stats))}

    def count(self, models: list[ModelKey]) -> dict[ModelKey, int]:
        self.asked.append(models)
        return dict.fromkeys(models, self.idle)

    def hand_back(self, model: ModelKey, jobs: list[ClaimedJob]) -> int:
        assert model == KEY
        self.handed += jobs
        return len(jobs)

    def share(self) -> int:
        """How many jobs were handed back."""
        Sharing(*cast(Any, (self, self, self))).share()
        return len(self.handed)


LONG_S = LEAST_SHARED_S / ROWS


@pytest.mark.parametrize(
    ("held", "row_s", "asks"),
    [
        (2, LONG_S, True),
        (1, 10 * LONG_S, False),  # nothing to share
        (2, 0.4 * LONG_S, False),  # over soon
        (2, 0.0, False),  # nothing is known yet
        (0, LONG_S, False),
    ],
)
def test_only_who_has_enough_work_looks_for_idle_workers(held: int, row_s: float, asks: bool) -> None:
    worker = Worker([job() for _ in range(held)], row_s, idle=1)
    assert worker.share() == (1 if asks else 0)
    assert worker.asked == [[KEY] if asks else []]


def test_without_idle_workers_all_jobs_stay() -> None:
    assert Worker([job() for _ in range(8)], LONG_S, idle=0).share() == 0
