"""Waiting for the end of a job that one has submitted: many share one inbox, and no end is missed."""

import asyncio

import pytest
import redis

from broker import Content, Idempotency, JobRecord, JobStore, NewJob, WorkerQueue
from schemas.errors import JobNotFound, StoreUnavailable
from tests.broker.conftest import MakeStore
from tests.broker.helpers import QUEUE, WAIT_MS, claim_one, spec
from tests.broker.test_round_trip import FAILURE
from tests.servers import StoreServer

pytestmark = pytest.mark.anyio
LONG_S = 30.0  # never waited for in full


async def test_the_ended_job_is_returned(store: JobStore, queue: WorkerQueue) -> None:
    async with store.jobs.submit_and_wait(NewJob(spec(), b"in", rows=1)) as (submitted, wait):
        claim = claim_one(queue)
        assert claim.job_id == submitted.record.id
        queue.claimed_jobs.finish(claim, b"{}", b"t")
        job = (await wait(LONG_S)).record
    assert job == await store.jobs.get(submitted.record.id)
    assert job.status == "succeeded"


@pytest.mark.parametrize(("tensors", "comes"), [(b"", True), (b" \x00\xff1 2", True), (bytes(16_385), False)])
async def test_a_small_result_comes_along_where_it_is_asked_for(
    store: JobStore, queue: WorkerQueue, tensors: bytes, comes: bool
) -> None:
    meta = '{"id": "á"}'.encode()
    for takes_result in (True, False):
        async with store.jobs.submit_and_wait(NewJob(spec(), b"in", rows=1), takes_result=takes_result) as (
            submitted,
            wait,
        ):
            queue.claimed_jobs.finish(claim_one(queue), meta, tensors)
            job, result = await wait(LONG_S)
        assert job == await store.jobs.get(submitted.record.id)
        assert result == ((meta, tensors) if takes_result and comes else None)
        assert await store.results.get(submitted.record.id) == (meta, tensors)


async def test_a_followers_result_is_left_to_be_fetched(store: JobStore, queue: WorkerQueue) -> None:
    content = Content("digest")
    job = NewJob(spec(), b"in", rows=1, content=content)
    async with (
        store.jobs.submit_and_wait(job, takes_result=True) as (first, wait_first),
        store.jobs.submit_and_wait(job, takes_result=True) as (second, wait_second),
    ):
        queue.claimed_jobs.finish(claim_one(queue), b"{}", b"t")
        assert (await wait_first(LONG_S)).result == (b"{}", b"t")
        assert await wait_second(LONG_S) == (await store.jobs.get(second.record.id), None)
    assert b'"cache":"shared"' in (await store.results.get(second.record.id))[0]
    assert (first.outcome, second.outcome) == ("created", "shared")


async def test_after_the_time_the_job_as_it_stands(store: JobStore, queue: WorkerQueue) -> None:
    async with store.jobs.submit_and_wait(NewJob(spec(), b"in", rows=50)) as (submitted, wait):
        assert (await wait(0.01)).record.status == "queued"
        queue.claimed_jobs.progress(claim_one(queue), 7, 50)
        job = (await wait(0.01)).record
        assert (job.id, job.status, job.done) == (submitted.record.id, "running", 7)


@pytest.mark.parametrize("end", ["fail", "cancel"])
async def test_other_ends(store: JobStore, queue: WorkerQueue, end: str) -> None:
    async with store.jobs.submit_and_wait(NewJob(spec(), b"in", rows=1)) as (submitted, wait):
        if end == "fail":
            queue.claimed_jobs.fail(claim_one(queue), FAILURE)
        else:
            await store.jobs.cancel(submitted.record.id)
        assert (await wait(LONG_S)).record.status == ("failed" if end == "fail" else "cancelled")


async def test_jobs_that_share_a_result_end_together(store: JobStore, queue: WorkerQueue) -> None:
    content = Content("digest")
    async with (
        store.jobs.submit_and_wait(NewJob(spec(), b"in", rows=1, content=content)) as (first, wait_first),
        store.jobs.submit_and_wait(NewJob(spec(), b"in", rows=1, content=content)) as (second, wait_second),
    ):
        assert (first.outcome, second.outcome) == ("created", "shared")
        queue.claimed_jobs.finish(claim_one(queue), b"{}", b"t")
        assert [(await wait(LONG_S)).record.status for wait in (wait_first, wait_second)] == ["succeeded"] * 2
    async with store.jobs.submit_and_wait(NewJob(spec(), b"in", rows=1, content=content)) as (third, wait_third):
        assert third.outcome == "hit"
        assert (await wait_third(LONG_S)).record.status == "succeeded"


async def test_a_job_known_by_its_key_is_waited_for(store: JobStore, queue: WorkerQueue) -> None:
    key = Idempotency("key", "fingerprint")
    first = await store.jobs.submit(NewJob(spec(), b"in", rows=1, idempotency=key))
    async with store.jobs.submit_and_wait(NewJob(spec(), b"in", rows=1, idempotency=key)) as (submitted, wait):
        assert (submitted.record.id, submitted.outcome) == (first.record.id, "known")
        assert (await wait(0.01)).record.status == "queued"
        queue.claimed_jobs.finish(claim_one(queue), b"{}", b"t")
        assert (await wait(LONG_S)).record.status == "succeeded"


async def test_each_of_many_hears_of_its_own_on_one_connection(
    store: JobStore, queue: WorkerQueue, own_server: StoreServer, raw: redis.Redis
) -> None:
    submitted: asyncio.Queue[str] = asyncio.Queue()

    async def ended() -> tuple[str, JobRecord]:
        async with store.jobs.submit_and_wait(NewJob(spec(), b"in", rows=1)) as (one, wait):
            submitted.put_nowait(one.record.id)
            return one.record.id, (await wait(LONG_S)).record

    waiting = [asyncio.create_task(ended()) for _ in range(60)]
    jobs = {await submitted.get() for _ in waiting}
    assert len(raw.client_list(_type="pubsub")) == 1
    claims = queue.claims.take({QUEUE: 60}, WAIT_MS)
    assert {claim.job_id for claim in claims} == jobs
    for claim in reversed(claims):
        queue.claimed_jobs.finish(claim, b"{}", b"t")
    for job_id, job in await asyncio.gather(*waiting):
        assert (job.id, job.status) == (job_id, "succeeded")


async def test_an_end_while_nobody_listened_is_found(
    store: JobStore, queue: WorkerQueue, own_server: StoreServer, raw: redis.Redis
) -> None:
    for _ in range(3):
        async with store.jobs.submit_and_wait(NewJob(spec(), b"in", rows=1)) as (_, wait):
            claim = claim_one(queue)
            raw.client_kill_filter(_type="pubsub")
            queue.claimed_jobs.finish(claim, b"{}", b"t")
            assert (await asyncio.wait_for(wait(LONG_S), 10)).record.status == "succeeded"


async def test_a_restart_that_forgot_the_job(store: JobStore, own_server: StoreServer) -> None:
    async with store.jobs.submit_and_wait(NewJob(spec(), b"in", rows=1)) as (_, wait):
        own_server.restart()
        with pytest.raises(JobNotFound):
            await asyncio.wait_for(wait(LONG_S), 10)
    async with store.jobs.submit_and_wait(NewJob(spec(), b"in", rows=1)) as (_, wait):
        assert (await wait(0.01)).record.status == "queued"


@pytest.mark.parametrize("outage", ["stop", "pause"])
async def test_a_store_that_stays_away_ends_the_wait(
    make_store: MakeStore, own_server: StoreServer, outage: str
) -> None:
    store = make_store(timeout_s=0.3)
    async with store.jobs.submit_and_wait(NewJob(spec(), b"in", rows=1)) as (_, wait):
        getattr(own_server, outage)()
        with pytest.raises(StoreUnavailable):
            await asyncio.wait_for(wait(LONG_S), 10)


async def test_closing_the_store_ends_its_waits(store: JobStore) -> None:
    async with store.jobs.submit_and_wait(NewJob(spec(), b"in", rows=1)) as (_, wait):
        waiting = asyncio.ensure_future(wait(LONG_S))
        await asyncio.sleep(0)
        await store.close()
        with pytest.raises(StoreUnavailable):
            await waiting
