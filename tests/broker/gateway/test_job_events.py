"""Watching a job: every transition, over broken connections too."""

import asyncio

import pytest
import redis

from broker import JobRecord, JobStore, WorkerQueue
from schemas.errors import JobNotFound, StoreUnavailable
from schemas.model_key import ModelKey
from tests.broker.conftest import MakeStore
from tests.broker.helpers import QUEUE, claim_one, submit
from tests.servers import StoreServer

pytestmark = pytest.mark.anyio


async def test_each_change_is_seen(store: JobStore, queue: WorkerQueue) -> None:
    job_id = await submit(store)
    async with store.jobs.watch(job_id) as changes:
        assert (await anext(changes)).status == "queued"
        claim = claim_one(queue)
        assert (await anext(changes)).status == "running"
        assert queue.claimed_jobs.progress(claim, 7, 50)
        assert (await anext(changes)).done == 7
        assert queue.claimed_jobs.finish(claim, b"{}", b"t")
        last = await anext(changes)
        assert last == await store.jobs.get(job_id)
        assert last.status == "succeeded"
        with pytest.raises(StopAsyncIteration):
            await anext(changes)


async def test_a_slow_reader_misses_no_status(store: JobStore, queue: WorkerQueue) -> None:
    job_id = await submit(store)
    async with store.jobs.watch(job_id) as changes:
        await anext(changes)
        claim = claim_one(queue)
        queue.claimed_jobs.release(claim)
        claim = claim_one(queue)
        for done in range(1, 100):
            queue.claimed_jobs.progress(claim, done, 100)
        queue.claimed_jobs.finish(claim, b"{}", b"t")
        rest = [job async for job in changes]
    statuses = [job.status for job in rest]
    assert [status for i, status in enumerate(statuses) if statuses[i - 1 : i] != [status]] == [
        "running",
        "queued",
        "running",
        "succeeded",
    ]
    assert rest[-2].done == 99


@pytest.mark.parametrize("end", ["finish", "cancel"])
async def test_a_job_that_has_ended_is_shown_once(store: JobStore, queue: WorkerQueue, end: str) -> None:
    job_id = await submit(store)
    if end == "finish":
        queue.claimed_jobs.finish(claim_one(queue), b"{}", b"t")
    else:
        await store.jobs.cancel(job_id)
    async with store.jobs.watch(job_id) as changes:
        assert [job async for job in changes] == [await store.jobs.get(job_id)]


async def test_many_watches_share_one_connection(
    store: JobStore, queue: WorkerQueue, own_server: StoreServer, raw: redis.Redis
) -> None:
    jobs = [await submit(store) for _ in range(20)]

    async def last(job_id: str, entered: asyncio.Event) -> JobRecord:
        async with store.jobs.watch(job_id) as changes:
            entered.set()
            return [job async for job in changes][-1]

    entered = [asyncio.Event() for _ in range(60)]
    watching = [asyncio.create_task(last(jobs[i % 20], event)) for i, event in enumerate(entered)]
    for event in entered:
        await event.wait()
    assert len(raw.client_list(_type="pubsub")) == 1
    for claim in queue.claims.take({QUEUE: 20}, 0):
        queue.claimed_jobs.finish(claim, b"{}", b"t")
    assert {job.status for job in await asyncio.gather(*watching)} == {"succeeded"}
    async with asyncio.timeout(10):  # Redis tells nobody of an ended subscription
        while [name for name in raw.pubsub_channels() if ":events:" in name]:  # noqa: ASYNC110
            await asyncio.sleep(0)


async def test_a_watch_survives_a_broken_connection(
    store: JobStore, queue: WorkerQueue, own_server: StoreServer, raw: redis.Redis
) -> None:
    job_id = await submit(store)
    async with store.jobs.watch(job_id) as changes:
        assert (await anext(changes)).status == "queued"
        for _ in range(3):
            raw.client_kill_filter(_type="pubsub")
            claim = claim_one(queue)  # perhaps while nobody listens
            assert (await asyncio.wait_for(anext(changes), 10)).status == "running"
            queue.claimed_jobs.release(claim)
            assert (await asyncio.wait_for(anext(changes), 10)).status == "queued"


async def test_a_watch_of_a_job_that_a_restart_forgot_ends(store: JobStore, own_server: StoreServer) -> None:
    job_id = await submit(store)
    async with store.jobs.watch(job_id) as changes:
        await anext(changes)
        own_server.restart()
        with pytest.raises(JobNotFound):
            await asyncio.wait_for(anext(changes), 10)
    job_id = await submit(store)
    async with store.jobs.watch(job_id) as changes:
        assert (await anext(changes)).status == "queued"


@pytest.mark.parametrize("outage", ["stop", "pause"])
async def test_a_watch_ends_when_the_store_stays_away(
    make_store: MakeStore, own_server: StoreServer, outage: str
) -> None:
    store = make_store(timeout_s=0.3)
    job_id = await submit(store)
    async with store.jobs.watch(job_id) as changes:
        await anext(changes)
        getattr(own_server, outage)()
        with pytest.raises(StoreUnavailable):
            await asyncio.wait_for(anext(changes), 10)
    with pytest.raises(StoreUnavailable):
        async with asyncio.timeout(10), store.jobs.watch(job_id):
            pass


async def test_closing_the_store_ends_its_watches(store: JobStore) -> None:
    job_id = await submit(store)
    async with store.jobs.watch(job_id) as changes:
        await anext(changes)
        waiting = asyncio.ensure_future(anext(changes))
        await asyncio.sleep(0)
        await store.close()
        with pytest.raises(StoreUnavailable):
            await waiting


async def test_a_watch_outlasts_silence(make_store: MakeStore, queue: WorkerQueue) -> None:
    store = make_store(timeout_s=0.1)
    job_id = await submit(store)
    async with store.jobs.watch(job_id) as changes:
        await anext(changes)
        assert (
            await asyncio.to_thread(queue.claims.take, {ModelKey("another", "1"): 1}, 500) == []
        )  # meanwhile it asks, and is answered
        claim_one(queue)
        assert (await anext(changes)).status == "running"
