"""Cancelling, at every stage."""

import asyncio
import threading
from contextlib import suppress

import pytest
import redis

from broker import JobStore, WorkerQueue
from schemas.errors import JobHasNoResult, StoreUnavailable
from schemas.model_key import ModelKey
from tests.broker.conftest import MakeQueue
from tests.broker.helpers import QUEUE, claim_one, submit
from tests.servers import StoreServer

pytestmark = pytest.mark.anyio


async def test_a_queued_job_never_starts(store: JobStore, queue: WorkerQueue) -> None:
    job_id = await submit(store)
    cancelled = await store.jobs.cancel(job_id)
    assert cancelled.status == "cancelled"
    assert cancelled.finished_ms is not None
    assert await store.jobs.get(job_id) == cancelled
    assert queue.claims.take({QUEUE: 1}, 0) == []
    assert await store.jobs.backlog() == {QUEUE: 0}
    with pytest.raises(JobHasNoResult):
        await store.results.get(job_id)


async def test_a_running_job_is_taken_from_its_worker(store: JobStore, queue: WorkerQueue) -> None:
    job_id = await submit(store)
    other = await submit(store)
    claims = queue.claims.take({QUEUE: 2}, 0)
    assert (await store.jobs.cancel(job_id)).status == "cancelled"
    assert queue.claimed_jobs.renew(claims) == {job_id}
    assert not queue.claimed_jobs.progress(claims[0], 1, 2)
    assert not queue.claimed_jobs.finish(claims[0], b"{}", b"t")
    assert (await store.jobs.get(job_id)).status == "cancelled"
    assert claims[1].job_id == other
    assert queue.claimed_jobs.finish(claims[1], b"{}", b"t")


async def test_a_terminal_job_stays_as_it_is(store: JobStore, queue: WorkerQueue) -> None:
    job_id = await submit(store)
    queue.claimed_jobs.finish(claim_one(queue), b"{}", b"t")
    done = await store.jobs.get(job_id)
    assert await store.jobs.cancel(job_id) == done
    assert done.status == "succeeded"


@pytest.mark.parametrize("trouble", ["silence", "broken connection", "hanging server"])
async def test_workers_hear_of_it(
    store: JobStore, make_queue: MakeQueue, own_server: StoreServer, raw: redis.Redis, trouble: str
) -> None:
    queue = make_queue(timeout_s=0.2)
    heard: asyncio.Queue[str] = asyncio.Queue()
    stop = threading.Event()
    loop = asyncio.get_running_loop()

    def tell(job_id: str) -> None:
        loop.call_soon_threadsafe(heard.put_nowait, job_id)

    async def cancel_until_heard() -> None:
        """A cancellation while the listener connects is not heard; the next one is."""
        cancelled = set()
        async with asyncio.timeout(15):
            while True:
                job_id = await submit(store)
                assert claim_one(queue).job_id == job_id
                await store.jobs.cancel(job_id)
                cancelled.add(job_id)
                with suppress(TimeoutError):
                    assert await asyncio.wait_for(heard.get(), 0.5) in cancelled
                    return

    listening = asyncio.create_task(asyncio.to_thread(queue.listen_cancelled, tell, stop))
    try:
        await cancel_until_heard()
        if trouble == "broken connection":
            raw.client_kill_filter(_type="pubsub")
        elif trouble == "hanging server":
            own_server.pause()
            for _ in range(5):  # longer than the listener believes in a silent connection
                with pytest.raises(StoreUnavailable):
                    queue.claims.take({ModelKey("another", "1"): 1}, 0)  # which Redis may run later, for nobody
            own_server.resume()
        else:  # in which the listener asks, and is answered
            queue.claims.take({ModelKey("another", "1"): 1}, 800)
        await cancel_until_heard()
    finally:
        stop.set()
        await listening
