"""How workers learn of one another that they have nothing to do."""

import pytest

from broker import JobStore, WorkerInfo, WorkerQueue
from schemas.model_key import ModelKey
from tests.broker.conftest import MakeQueue
from tests.broker.helpers import QUEUE, submit

pytestmark = pytest.mark.anyio
OTHER = ModelKey("other", "1")


def announced(make_queue: MakeQueue, name: str) -> WorkerQueue:
    """A worker that is registered."""
    queue = make_queue(name)
    queue.registration.announce(WorkerInfo(id=name, device="cpu", host="h", pid=1, started_ms=0, models=[QUEUE]), [])
    return queue


def idle(queue: WorkerQueue) -> int:
    return queue.idle_workers.count([QUEUE])[QUEUE]


async def test_a_worker_that_finds_nothing_is_idle_until_it_starts_a_job(
    store: JobStore, make_queue: MakeQueue
) -> None:
    first, second = announced(make_queue, "first"), announced(make_queue, "second")
    assert idle(first) == 0
    assert second.claims.take({QUEUE: 1}, 0, is_idle=True) == []
    assert (idle(first), idle(second)) == (1, 0), "nobody counts itself"
    assert first.idle_workers.count([OTHER, QUEUE]) == {OTHER: 0, QUEUE: 1}
    assert first.idle_workers.count([]) == {}
    await submit(store)
    assert len(second.claims.take({QUEUE: 1}, 0, is_idle=True)) == 1
    assert idle(first) == 0


async def test_a_worker_that_has_jobs_is_not_idle(make_queue: MakeQueue) -> None:
    first, second = announced(make_queue, "first"), announced(make_queue, "second")
    assert second.claims.take({QUEUE: 1}, 0) == []
    assert idle(first) == 0


async def test_the_only_worker_writes_nothing_down(make_queue: MakeQueue) -> None:
    first = announced(make_queue, "first")
    assert first.claims.take({QUEUE: 1}, 0, is_idle=True) == []
    assert idle(make_queue("second")) == 0


async def test_a_job_that_is_handed_back_goes_to_the_idle_one(store: JobStore, make_queue: MakeQueue) -> None:
    first, second = announced(make_queue, "first"), announced(make_queue, "second")
    job = await submit(store)
    (claim,) = first.claims.take({QUEUE: 1}, 0, is_idle=True)
    assert second.claims.take({QUEUE: 1}, 0, is_idle=True) == []
    assert first.claimed_jobs.release(claim)
    (taken,) = second.claims.take({QUEUE: 1}, 0, is_idle=True)
    assert (taken.job_id, taken.attempt) == (job, 1)
    assert not first.claimed_jobs.finish(claim, b"{}", b"t")
    assert second.claimed_jobs.finish(taken, b"{}", b"t")
