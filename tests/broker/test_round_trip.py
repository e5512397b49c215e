"""One job from the submission to its result."""

import pytest
import redis

from broker import FinishedJob, JobProgress, JobStore, NewJob, WorkerQueue
from schemas.errors import JobHasNoResult, JobNotFound, ResultNotReady
from schemas.jobs import ClassRef, JobFailure
from tests.broker.helpers import QUEUE, claim_one, spec, submit, submit_job

pytestmark = pytest.mark.anyio
FAILURE = JobFailure(code="job_failed", title="The job failed", detail="the model raised")


async def test_a_job_goes_from_queued_to_succeeded(store: JobStore, queue: WorkerQueue) -> None:
    job_id, outcome = await submit_job(store, NewJob(spec(), b"\x00input\xff", rows=52))
    queued = await store.jobs.get(job_id)
    assert outcome == "created"
    assert (queued.status, queued.total, queued.done, queued.attempts) == ("queued", 52, 0, 0)
    assert queued.spec == spec()
    assert queued.started_ms is None

    claim = claim_one(queue)
    running = await store.jobs.get(job_id)
    assert (claim.job_id, claim.spec, claim.payload, claim.attempt) == (job_id, spec(), b"\x00input\xff", 1)
    assert (claim.created_ms, claim.started_ms) == (running.created_ms, running.started_ms)
    assert (running.status, running.attempts) == ("running", 1)
    with pytest.raises(ResultNotReady):
        await store.results.get(job_id)

    target = [ClassRef(index=285, label="Egyptian cat — ¿gato?")]
    assert queue.claimed_jobs.progress(claim, 10, 60, target)
    at_work = await store.jobs.get(job_id)
    assert (at_work.done, at_work.total, at_work.target) == (10, 60, target)

    assert queue.claimed_jobs.finish(claim, b'{"meta": 1}', b"\x00\xfftensors")
    done = await store.jobs.get(job_id)
    assert (done.status, done.done, done.total, done.target, done.error) == ("succeeded", 60, 60, target, None)
    assert done.created_ms <= (done.started_ms or 0) <= (done.finished_ms or 0)
    assert await store.results.get(job_id) == (b'{"meta": 1}', b"\x00\xfftensors")
    assert await store.jobs.payload(job_id) == b"\x00input\xff"
    assert queue.claims.take({QUEUE: 1}, 0) == []


async def test_several_jobs_end_in_one_round_trip(store: JobStore, queue: WorkerQueue) -> None:
    ids = [await submit(store) for _ in range(3)]
    claims = queue.claims.take({QUEUE: 3}, 0)
    assert [claim.job_id for claim in claims] == ids
    await store.jobs.cancel(ids[1])
    done = [FinishedJob(claim, b"{}", claim.job_id.encode(), None) for claim in claims]
    assert queue.claimed_jobs.finish_all(done) == [True, False, True]
    assert queue.claimed_jobs.finish_all(done) == [True, False, True]  # after a lost answer
    assert [(await store.jobs.get(job_id)).status for job_id in ids] == ["succeeded", "cancelled", "succeeded"]
    assert (await store.results.get(ids[2]))[1] == ids[2].encode()


async def test_several_jobs_report_their_progress_in_one_round_trip(store: JobStore, queue: WorkerQueue) -> None:
    ids = [await submit(store) for _ in range(3)]
    claims = queue.claims.take({QUEUE: 3}, 0)
    await store.jobs.cancel(ids[1])
    target = [ClassRef(index=3, label=None)]
    reports = [JobProgress(claim, 10 + k, 60, target) for k, claim in enumerate(claims)]
    assert queue.claimed_jobs.progress_all(reports) == [True, False, True]
    found = [await store.jobs.get(job_id) for job_id in ids]
    assert [(one.done, one.total, one.target) for one in found[::2]] == [(10, 60, target), (12, 60, target)]
    assert (found[1].status, found[1].done) == ("cancelled", 0)
    assert queue.claimed_jobs.progress_all([]) == []


async def test_a_finish_repeated_after_a_lost_answer_is_still_true(store: JobStore, queue: WorkerQueue) -> None:
    await submit(store)
    claim = claim_one(queue)
    assert queue.claimed_jobs.finish(claim, b"{}", b"t")
    assert queue.claimed_jobs.finish(claim, b"{}", b"t")
    assert not queue.claimed_jobs.fail(claim, FAILURE)
    assert not queue.claimed_jobs.progress(claim, 1, 2)


async def test_a_failed_job_says_why_and_has_no_result(store: JobStore, queue: WorkerQueue) -> None:
    job_id = await submit(store)
    claim = claim_one(queue)
    assert queue.claimed_jobs.fail(claim, FAILURE)
    job = await store.jobs.get(job_id)
    assert (job.status, job.error) == ("failed", FAILURE)
    with pytest.raises(JobHasNoResult):
        await store.results.get(job_id)
    assert not queue.claimed_jobs.finish(claim, b"{}", b"t")


async def test_released_jobs_come_back_first_and_uncounted(store: JobStore, queue: WorkerQueue) -> None:
    first = await submit(store)
    await submit(store)
    claim = claim_one(queue)
    assert queue.claimed_jobs.release(claim)
    waiting = await store.jobs.get(first)
    assert (waiting.status, waiting.attempts, waiting.started_ms) == ("queued", 0, None)
    assert not queue.claimed_jobs.progress(claim, 1, 2)
    assert not queue.claimed_jobs.release(claim)

    again = claim_one(queue)
    assert (again.job_id, again.attempt) == (first, 1)
    assert again.token != claim.token
    assert not queue.claimed_jobs.finish(claim, b"{}", b"t")
    assert queue.claimed_jobs.finish(again, b"{}", b"t")


@pytest.mark.parametrize("job_id", ["unknown", "", "a" * 65, "../x", "a:b", "\udcff", "job\n"])
async def test_unknown_jobs_are_not_found(store: JobStore, job_id: str) -> None:
    for call in (store.jobs.get, store.jobs.payload, store.results.get, store.jobs.cancel):
        with pytest.raises(JobNotFound):
            await call(job_id)
    with pytest.raises(JobNotFound):
        async with store.jobs.watch(job_id):
            pass


async def test_a_job_whose_input_is_gone_fails(
    store: JobStore, queue: WorkerQueue, raw: redis.Redis, namespace: str
) -> None:
    job_id = await submit(store)
    raw.delete(f"{namespace}:payload:{job_id}")
    assert queue.claims.take({QUEUE: 1}, 0) == []
    job = await store.jobs.get(job_id)
    assert job.status == "failed"
    assert job.error is not None
    assert job.error.detail == "the input is no longer stored"


async def test_no_room_claims_nothing(store: JobStore, queue: WorkerQueue) -> None:
    await submit(store)
    assert queue.claims.take({}, 60_000) == []
    assert queue.claims.take({QUEUE: 0}, 60_000) == []
