"""At the door: depth of the queue, idempotency."""

import asyncio

import pytest
import redis

from broker import Idempotency, NewJob, WorkerQueue
from schemas.errors import IdempotencyConflict, Overloaded
from schemas.model_key import ModelKey
from tests.broker.conftest import MakeStore
from tests.broker.helpers import QUEUE, claim_one, spec, submit, submit_job

pytestmark = pytest.mark.anyio


async def test_a_full_queue_refuses_waiting_and_running_counted_over_both_priorities(
    make_store: MakeStore, queue: WorkerQueue
) -> None:
    store = make_store(queue_depth=3)
    await submit(store)
    await submit(store)
    await submit(store, "batch")
    claim = claim_one(queue)
    for priority in ("interactive", "batch"):
        with pytest.raises(Overloaded) as refused:
            await store.jobs.submit(NewJob(spec(priority), b"in", rows=1))
        assert 1 <= (refused.value.retry_after_s or 0) <= 60
    await submit(store, model="another")  # a queue of its own

    assert queue.claimed_jobs.finish(claim, b"{}", b"t")
    await submit(store)
    assert await store.jobs.backlog() == {ModelKey("another", "1"): 1, QUEUE: 3}


async def test_a_refused_job_leaves_nothing(make_store: MakeStore, raw: redis.Redis, namespace: str) -> None:
    store = make_store(queue_depth=0)
    with pytest.raises(Overloaded):
        await store.jobs.submit(NewJob(spec(), b"in", rows=1, idempotency=Idempotency("key", "print")))
    assert list(raw.scan_iter(f"{namespace}:*")) == []


async def test_the_same_request_answers_the_first_job(make_store: MakeStore) -> None:
    store = make_store(queue_depth=1)
    key = Idempotency("k" * 10_000 + "\n ñ", "fingerprint 1")
    first, outcome = await submit_job(store, NewJob(spec(), b"in", rows=1, idempotency=key))
    assert outcome == "created"
    again = await submit_job(store, NewJob(spec(), b"in", rows=1, idempotency=key))
    assert again == (first, "known"), "though the queue is full"
    with pytest.raises(IdempotencyConflict):
        await store.jobs.submit(NewJob(spec(), b"in", rows=1, idempotency=Idempotency(key.key, "fingerprint 2")))


async def test_a_key_is_free_again_once_its_job_is_gone(
    make_store: MakeStore, raw: redis.Redis, namespace: str
) -> None:
    store = make_store()
    first, _ = await submit_job(store, NewJob(spec(), b"in", rows=1, idempotency=Idempotency("key", "a")))
    raw.delete(f"{namespace}:job:{first}")
    second, outcome = await submit_job(store, NewJob(spec(), b"in", rows=1, idempotency=Idempotency("key", "b")))
    assert outcome == "created"
    assert second != first


async def test_of_many_at_once_one_is_created(make_store: MakeStore) -> None:
    store = make_store()
    answers = await asyncio.gather(
        *(submit_job(store, NewJob(spec(), b"in", rows=1, idempotency=Idempotency("key", "print"))) for _ in range(50))
    )
    assert len({job_id for job_id, _ in answers}) == 1
    assert [outcome for _, outcome in answers].count("created") == 1
    assert await store.jobs.backlog() == {QUEUE: 1}


async def test_the_wait_is_the_time_for_a_tenth_of_the_queue(
    make_store: MakeStore, queue: WorkerQueue, raw: redis.Redis, namespace: str
) -> None:
    store = make_store(queue_depth=1)
    await submit(store)
    assert queue.claimed_jobs.finish(claim_one(queue), b"{}", b"t")
    pace = f"{namespace}:pace:squarer@1"
    assert float(raw.hget(pace, "interval_ms") or -1) >= 0
    raw.hset(pace, "interval_ms", 2000)
    busy = make_store(queue_depth=40)
    for _ in range(40):
        await submit(busy)
    with pytest.raises(Overloaded) as refused:
        await busy.jobs.submit(NewJob(spec(), b"in", rows=1))
    assert refused.value.retry_after_s == 8
