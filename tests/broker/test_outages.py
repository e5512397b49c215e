"""Redis stopped, hanging, restarted: a clear refusal in time, and service again by itself."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from broker import Claim, JobStore, NewJob, WorkerQueue
from schemas.errors import StoreUnavailable
from schemas.model_key import ModelKey
from tests.broker.conftest import MakeQueue, MakeStore
from tests.broker.helpers import QUEUE, WAIT_MS, claim_one, spec, submit
from tests.broker.test_round_trip import FAILURE
from tests.servers import StoreServer

pytestmark = pytest.mark.anyio
TIMEOUT_S = 0.5
SLACK_S = 1.5  # two shared cores


def gateway_calls(store: JobStore, job_id: str) -> list[Callable[[], Awaitable[object]]]:
    return [
        store.ping,
        store.models.cards,
        store.workers.live,
        store.jobs.backlog,
        store.jobs.page,
        lambda: store.models.card("squarer"),
        lambda: store.jobs.submit(NewJob(spec(), b"in", rows=1)),
        lambda: store.jobs.get(job_id),
        lambda: store.jobs.cancel(job_id),
        lambda: store.jobs.payload(job_id),
        lambda: store.results.get(job_id),
        lambda: store.jobs.watch(job_id).__aenter__(),
        lambda: store.jobs.submit_and_wait(NewJob(spec(), b"in", rows=1)).__aenter__(),
    ]


def worker_calls(queue: WorkerQueue, claim: Claim) -> list[Callable[[], object]]:
    return [
        lambda: queue.claims.take(
            {ModelKey("another", "1"): 1}, 0
        ),  # another: a paused Redis runs it later, for nobody
        lambda: queue.claims.take({ModelKey("another", "1"): 1}, WAIT_MS),
        lambda: queue.claimed_jobs.renew([claim]),
        lambda: queue.claimed_jobs.progress(claim, 1, 2),
        lambda: queue.claimed_jobs.finish(claim, b"{}", b"t"),
        lambda: queue.claimed_jobs.fail(claim, FAILURE),
        lambda: queue.claimed_jobs.release(claim),
        queue.registration.retire,
    ]


async def refused(call: Callable[[], Awaitable[object]]) -> None:
    began = time.monotonic()
    with pytest.raises(StoreUnavailable) as error:
        await call()
    assert error.value.retry_after_s == 2
    assert time.monotonic() - began < TIMEOUT_S + SLACK_S


@pytest.mark.parametrize("outage", ["stop", "pause"])
async def test_every_call_is_refused_in_time_and_works_again_afterwards(
    make_store: MakeStore, make_queue: MakeQueue, own_server: StoreServer, outage: str
) -> None:
    store, queue = make_store(timeout_s=TIMEOUT_S), make_queue(timeout_s=TIMEOUT_S)
    job_id = await submit(store)
    claim = claim_one(queue)
    getattr(own_server, outage)()
    await asyncio.gather(*(refused(call) for call in gateway_calls(store, job_id)))
    await asyncio.gather(*(refused(partial(asyncio.to_thread, call)) for call in worker_calls(queue, claim)))

    if outage == "stop":
        own_server.start()
    else:
        own_server.resume()
    job_id = await submit(store)
    async with store.jobs.watch(job_id) as changes:
        assert (await anext(changes)).status == "queued"
        claim = claim_one(queue, WAIT_MS)
        while claim.job_id != job_id:
            claim = claim_one(queue, WAIT_MS)
        assert (await anext(changes)).status == "running"
        assert queue.claimed_jobs.finish(claim, b"{}", b"t")
        assert (await anext(changes)).status == "succeeded"
    assert await store.results.get(job_id) == (b"{}", b"t")


async def test_a_blocked_claim_notices_the_outage(make_queue: MakeQueue, own_server: StoreServer) -> None:
    queue = make_queue(timeout_s=TIMEOUT_S)
    assert queue.claims.take({QUEUE: 1}, 0) == []
    claiming = asyncio.create_task(asyncio.to_thread(queue.claims.take, {QUEUE: 1}, 60_000))
    own_server.stop()
    with pytest.raises(StoreUnavailable):
        await asyncio.wait_for(claiming, 10)


async def test_abandoned_calls_leave_the_pool_in_order(store: JobStore) -> None:
    job_id = await submit(store, payload=b"x" * 100_000)
    for round_ in range(20):
        calls = [asyncio.create_task(store.jobs.payload(job_id)) for _ in range(100)]
        for _ in range(round_):
            await asyncio.sleep(0)
        for call in calls:
            call.cancel()
        await asyncio.wait(calls)
    assert all(len(blob) == 100_000 for blob in await asyncio.gather(*(store.jobs.payload(job_id) for _ in range(100))))
    assert (await store.jobs.get(job_id)).status == "queued"
