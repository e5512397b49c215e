"""Stores behind Redis Sentinel: jobs go on after a failover."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import pytest

from broker import JobStore, WorkerQueue
from broker.sentinel_url import sentinel_address
from schemas.errors import StoreUnavailable
from tests.broker.helpers import QUEUE, WAIT_MS, claim_one, submit
from tests.sentinels import LIMIT_S, Sentinels
from tests.servers import StoreKind

pytestmark = pytest.mark.anyio
T = TypeVar("T")


@pytest.fixture(scope="module")
def sentinels(kind: StoreKind) -> Iterator[Sentinels]:
    with Sentinels(kind) as started:
        yield started


async def insisting(sentinels: Sentinels, call: Callable[[], Awaitable[T]]) -> T:
    """The answer, as clients and workers get it who repeat what failed with `StoreUnavailable`."""
    async with asyncio.timeout(LIMIT_S):
        while True:
            try:
                return await call()
            except StoreUnavailable:
                await asyncio.to_thread(sentinels.pause)


@pytest.mark.slow
async def test_jobs_go_on_after_a_failover(sentinels: Sentinels, namespace: str) -> None:
    store = JobStore(sentinels.url, namespace=namespace)
    queue = WorkerQueue(sentinels.url, "worker", namespace=namespace)
    cancelled, stop = threading.Event(), threading.Event()
    listener = threading.Thread(target=queue.listen_cancelled, args=(lambda _: cancelled.set(), stop))
    listener.start()
    try:
        first, second = await submit(store), await submit(store)
        claim = claim_one(queue)
        with sentinels.client(sentinels.primary_port()) as client:
            client.wait(1, int(LIMIT_S * 1000))  # replication is asynchronous: what the replica lacks would be lost
        await asyncio.to_thread(sentinels.fail_over)
        assert await insisting(sentinels, lambda: asyncio.to_thread(queue.claimed_jobs.finish, claim, b"{}", b"t"))
        assert (await insisting(sentinels, lambda: store.jobs.get(first))).status == "succeeded"
        (claim,) = await insisting(sentinels, lambda: asyncio.to_thread(queue.claims.take, {QUEUE: 1}, WAIT_MS))
        assert claim.job_id == second
        third = await insisting(sentinels, lambda: submit(store))
        async with store.jobs.watch(third) as records:
            assert (await anext(records)).status == "queued"
            (claim,) = await asyncio.to_thread(queue.claims.take, {QUEUE: 1}, WAIT_MS)
            assert (await anext(records)).status == "running"
        while not cancelled.is_set():  # the listener may still be renewing its subscription
            await store.jobs.cancel(third)
            with sentinels.client(sentinels.primary_port()) as client:
                client.publish(f"{namespace}:cancelled", third)
            await asyncio.to_thread(cancelled.wait, 0.1)
    finally:
        stop.set()
        listener.join()
        queue.close()
        await store.close()


@pytest.mark.parametrize(
    "url",
    [
        "redis+sentinel:///jobs",
        "redis+sentinel://host:1",
        "redis+sentinel://host:x/jobs",
        "redis+sentinel://host:99999/jobs",
        "redis+sentinel://host/jobs/name",
        "redis+sentinel://:secret@:1/jobs",
    ],
)
def test_half_a_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match="Sentinel URL") as caught:
        sentinel_address(url)
    assert "secret" not in str(caught.value)


def test_the_parts_of_a_url() -> None:
    address = sentinel_address(
        "rediss+sentinel://u%40:p%2F@[::1]:5,b/jobs/2?ssl_ca_certs=%2Fca.pem&sentinel_password=x%26"
    )
    assert address is not None
    assert (address.hosts, address.service, address.is_encrypted) == ([("::1", 5), ("b", 26379)], "jobs", True)
    assert address.data_url == "rediss://u%40:p%2F@primary/2?ssl_ca_certs=%2Fca.pem"
    assert (address.sentinel_username, address.sentinel_password) == (None, "x&")
    assert sentinel_address("redis://host/0") is None
