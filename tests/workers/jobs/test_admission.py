"""How many jobs a worker claims, and which of them it runs as one call."""

import threading
from collections.abc import Iterator

import pytest

from schemas.methods import IntegratedGradients, SmoothGrad
from tests.workers.jobs.claims import claimed
from tests.workers.jobs.net import KEY, example, spec
from workers.jobs.admission import Admission
from workers.jobs.coalesce import group_key
from workers.jobs.job import ClaimedJob
from workers.jobs.tuning import (
    ASSUMED_JOB_ROWS,
    COALESCED_RUN_S,
    INTERACTIVE_SHARE,
    MAX_ATTEMPTS,
    MAX_CLAIMED_COALESCED_JOBS,
    MAX_CLAIMED_JOBS,
)
from workers.models.pool import ModelPool
from workers.models.resident import ResidentModel

LIMIT_S = 60.0
IG = IntegratedGradients(n_steps=20)
MODEL = KEY


@pytest.fixture
def slow(model: ResidentModel) -> Iterator[None]:
    """Its rows take so long that no jobs are coalesced."""
    yield from measured(model, rows=1)


@pytest.fixture
def fast(model: ResidentModel) -> Iterator[None]:
    """A coalesced run has 100 rows."""
    yield from measured(model, rows=100)


def measured(model: ResidentModel, rows: int) -> Iterator[None]:
    """The model computes so many rows in the time of a coalesced run."""
    stats = model.engine.stats
    before = stats.rows, stats.seconds
    stats.rows, stats.seconds = 1000 * rows, 1000 * COALESCED_RUN_S
    yield
    stats.rows, stats.seconds = before


def admitted(admission: Admission, count: int, rows: int = 22, **claim: int) -> list[ClaimedJob]:
    claims = [claimed(spec(IG, rows=rows), {"input.0": example(1.0)}, f"job-{n}", **claim).claim for n in range(count)]
    return [admission.admit(claim) for claim in claims]


@pytest.mark.usefixtures("slow")
def test_capacity_is_what_running_jobs_leave_of_it(pool: ModelPool) -> None:
    admission = Admission(pool, max_live=3)
    assert admission.capacity() == {MODEL: 3}
    jobs = admitted(admission, 2)
    assert admission.capacity() == {MODEL: 1}
    jobs += [admission.admit(claimed(spec(IG), {"input.0": example(1.0)}, "one more").claim)]
    assert admission.capacity() == {}
    assert admission.active() == jobs
    admission.discharge(jobs[:2])
    assert admission.capacity() == {MODEL: 2}
    assert [admission.find(job.id) for job in jobs] == [None, None, jobs[2]]


@pytest.mark.usefixtures("slow")
def test_batch_jobs_leave_room_for_interactive_ones(pool: ModelPool) -> None:
    admission = Admission(pool, max_live=8)
    room = 8 - int(INTERACTIVE_SHARE * 8)
    assert admission.for_batch() == {MODEL: room}
    admitted(admission, 3)
    assert admission.for_batch() == {MODEL: room}, "interactive jobs take nothing of it"
    for number in range(room):
        admission.admit(claimed(spec(IG, priority="batch"), b"", f"batch-{number}").claim)
    assert admission.for_batch() == {MODEL: 0}
    assert Admission(pool, max_live=1).for_batch() == {MODEL: 1}


@pytest.mark.usefixtures("slow")
def test_one_claim_leaves_jobs_to_other_workers(pool: ModelPool) -> None:
    assert Admission(pool, max_live=100).capacity() == {MODEL: MAX_CLAIMED_JOBS}


def test_more_short_jobs_are_claimed_than_may_run_at_a_time(pool: ModelPool, model: ResidentModel) -> None:
    for jobs in (20, MAX_CLAIMED_COALESCED_JOBS + 1):
        for _ in measured(model, rows=jobs * ASSUMED_JOB_ROWS):
            assert Admission(pool, max_live=3).capacity() == {MODEL: min(jobs, MAX_CLAIMED_COALESCED_JOBS)}


def test_one_job_on_its_last_attempt_at_a_time(pool: ModelPool) -> None:
    admission = Admission(pool, max_live=3)
    admitted(admission, 1)
    assert admission.last_attempts() == 1
    suspect = admission.admit(claimed(spec(IG), b"", "suspect", attempt=MAX_ATTEMPTS).claim)
    assert admission.last_attempts() == 0
    admission.discharge([suspect])
    assert admission.last_attempts() == 1


@pytest.mark.usefixtures("fast")
def test_two_jobs_of_a_group_fit_into_a_run(pool: ModelPool) -> None:
    admission = Admission(pool, max_live=3)
    fits, too_large = admitted(admission, 1, rows=50) + admitted(admission, 1, rows=51)
    assert admission.group_of(fits) == group_key(fits.spec) is not None
    assert admission.group_of(too_large) is None
    assert admission.group_of(claimed(spec(SmoothGrad()), b"")) is None


@pytest.mark.usefixtures("slow")
def test_long_jobs_have_no_group(pool: ModelPool) -> None:
    admission = Admission(pool, max_live=3)
    assert admission.group_of(*admitted(admission, 1)) is None


@pytest.mark.usefixtures("fast")
def test_a_run_takes_the_jobs_that_it_has_rows_for(pool: ModelPool) -> None:
    admission = Admission(pool, max_live=9)
    jobs = admitted(admission, 6, rows=40)
    assert [admission.join_group("group", job) for job in jobs] == [True, *[False] * 5]
    assert [admission.next_run("group") for _ in range(4)] == [jobs[:2], jobs[2:4], jobs[4:], []]
    assert admission.join_group("group", jobs[0])  # the group had ended


@pytest.mark.usefixtures("fast")
def test_the_first_job_runs_however_large_it_is(pool: ModelPool) -> None:
    admission = Admission(pool, max_live=9)
    (job,) = admitted(admission, 1, rows=1_000)
    admission.join_group("group", job)
    assert admission.next_run("group") == [job]


def test_waits_end_with_what_they_wait_for(pool: ModelPool) -> None:
    admission = Admission(pool, max_live=9)
    (job,) = admitted(admission, 1)
    admission.join_group("group", job)
    returned = []
    waits = [
        threading.Thread(target=lambda: returned.append(admission.wait_for_groups(LIMIT_S))),
        threading.Thread(target=lambda: returned.append(admission.wait_until_idle(LIMIT_S))),
    ]
    for wait in waits:
        wait.start()
    admission.wait_for_groups(0.0)  # after the time, though the group has not ended
    assert not returned
    admission.next_run("group")
    assert admission.next_run("group") == []
    waits[0].join(LIMIT_S)
    assert len(returned) == 1
    admission.discharge([job])
    waits[1].join(LIMIT_S)
    assert len(returned) == 2
