"""The pace of a worker: rows that jobs were expected to take, and the time that it was busy, by a clock of the test."""

import pytest

from schemas.jobs import JobSpec
from schemas.model_key import ModelKey
from tests.workers.jobs.claims import claimed
from workers.jobs.job import ClaimedJob
from workers.jobs.pace import PaceMeter, PacePart

M, N = ModelKey("m", "1"), ModelKey("n", "1")


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def meter(clock: Clock) -> PaceMeter:
    return PaceMeter(clock)


def job(model: str = "m", rows: int = 10) -> ClaimedJob:
    method = {"name": "saliency"}
    return claimed(JobSpec(model=model, version="1", input_kind="features", examples=1, method=method, rows=rows), b"")


def test_idle_time_does_not_count_and_jobs_at_once_count_their_time_once(meter: PaceMeter, clock: Clock) -> None:
    jobs = [job(), job()]
    for _ in jobs:
        meter.begin()
    clock.now += 4
    for one in jobs:
        meter.end(one, succeeded=True)
    clock.now += 1000
    assert meter.take([], {M: 1.0}) == {M: PacePart(20.0, 4.0)}
    assert meter.take([], {M: 1.0}) == {}


def test_the_time_is_shared_as_passes_were_and_adds_up(meter: PaceMeter, clock: Clock) -> None:
    assert meter.take([], {M: 50.0, N: 70.0}) == {}
    one, other = job("m", 100), job("n", 6)
    meter.begin()
    meter.begin()
    clock.now += 8
    meter.end(one, succeeded=True)
    meter.end(other, succeeded=True)
    taken = meter.take([], {M: 51.0, N: 73.0})
    assert taken == {M: PacePart(100.0, 2.0), N: PacePart(6.0, 6.0)}


def test_passes_before_a_model_was_loaded_again_are_forgotten(meter: PaceMeter, clock: Clock) -> None:
    meter.take([], {M: 50.0, N: 10.0})
    meter.begin()
    clock.now += 4
    meter.end(job("m"), succeeded=True)
    assert meter.take([], {M: 1.0, N: 13.0})[M].busy_s == pytest.approx(1.0)


def test_a_long_job_counts_as_it_goes_on(meter: PaceMeter, clock: Clock) -> None:
    long = job("m", rows=1000)
    long.task.total_rows = 2000  # what it really takes
    meter.begin()
    clock.now += 5
    long.task.rows = 500
    assert meter.take([long], {M: 1.0}) == {M: PacePart(250.0, 5.0)}
    clock.now += 5
    long.task.rows = 1000
    assert meter.take([long], {M: 2.0}) == {M: PacePart(250.0, 5.0)}
    clock.now += 10
    meter.end(long, succeeded=True)
    assert meter.take([], {M: 4.0}) == {M: PacePart(500.0, 10.0)}


def test_a_job_that_did_not_succeed_counts_as_far_as_it_came(meter: PaceMeter, clock: Clock) -> None:
    failed = job("m", rows=100)
    meter.begin()
    clock.now += 3
    failed.task.rows = 30
    meter.end(failed, succeeded=False)
    assert meter.take([], {M: 1.0}) == {M: PacePart(30.0, 3.0)}


def test_time_without_passes_waits_for_those_that_follow(meter: PaceMeter, clock: Clock) -> None:
    slow = job("m", rows=100)
    meter.begin()
    clock.now += 3
    assert meter.take([slow], {M: 0.0}) == {}
    clock.now += 1
    slow.task.rows = 50
    assert meter.take([slow], {M: 0.5}) == {M: PacePart(50.0, 4.0)}


def test_jobs_without_any_pass_share_by_their_rows(meter: PaceMeter, clock: Clock) -> None:
    meter.begin()
    clock.now += 3
    meter.end(job("m", rows=10), succeeded=True)
    assert meter.take([], {}) == {M: PacePart(10.0, 3.0)}


def test_what_could_not_be_told_comes_back(meter: PaceMeter, clock: Clock) -> None:
    meter.put_back({M: PacePart(5.0, 1.0)})
    meter.put_back({M: PacePart(5.0, 1.0), N: PacePart(1.0, 1.0)})
    meter.begin()
    clock.now += 2
    meter.end(job("m"), succeeded=True)
    assert meter.take([], {M: 1.0}) == {M: PacePart(20.0, 4.0), N: PacePart(1.0, 1.0)}
    meter.put_back({M: PacePart(5.0, 1.0)})
    assert meter.take([], {M: 1.0}) == {M: PacePart(5.0, 1.0)}
