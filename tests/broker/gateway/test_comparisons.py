"""A comparison is kept as long as the last of its jobs."""

import pytest
import redis

from broker import Idempotency, NewJob, WorkerQueue
from broker.tuning import REUSE_TTL_S
from schemas.comparisons import CellRecord
from schemas.errors import ComparisonNotFound, IdempotencyConflict
from tests.broker.conftest import MakeStore
from tests.broker.helpers import claim_one, spec

pytestmark = pytest.mark.anyio
TTL_S = 100


async def test_it_goes_with_the_last_of_its_jobs(
    make_store: MakeStore, queue: WorkerQueue, raw: redis.Redis, namespace: str
) -> None:
    store = make_store(result_ttl_s=TTL_S)
    begun = await store.comparisons.begin("", None)
    jobs = [(await store.jobs.submit(NewJob(spec(), b"in", rows=1, comparison=begun.id))).record.id for _ in range(2)]
    cells = [CellRecord(model="m", version="1", method={"name": "saliency"}, job=job) for job in jobs]
    await store.comparisons.complete(begun.id, cells)
    key = f"{namespace}:comparison:{begun.id}"
    await store.jobs.cancel(jobs[0])
    assert raw.ttl(key) > REUSE_TTL_S - 60, "one of its jobs waits"
    assert queue.claimed_jobs.finish(claim_one(queue), b"{}", b"t")
    assert 0 < raw.ttl(key) <= raw.ttl(f"{namespace}:job:{jobs[1]}")
    assert (await store.comparisons.get(begun.id)).cells == cells
    await store.jobs.cancel(jobs[1])
    assert raw.hget(key, "open") == "0", "a job that has ended ends no second time"
    raw.delete(key)
    with pytest.raises(ComparisonNotFound):
        await store.comparisons.get(begun.id)
    await store.comparisons.keep_agreement(begun.id, [])
    assert not raw.exists(key), "nothing brings back what has expired"


@pytest.mark.parametrize("damage", ["gone", "text", "words"])
async def test_a_damaged_comparison_keeps_no_job_from_ending(
    make_store: MakeStore, raw: redis.Redis, namespace: str, damage: str
) -> None:
    store = make_store()
    begun = await store.comparisons.begin("", None)
    job = (await store.jobs.submit(NewJob(spec(), b"in", rows=1, comparison=begun.id))).record.id
    key = f"{namespace}:comparison:{begun.id}"
    if damage == "words":
        raw.hset(key, mapping={"open": "many", "cells": "no JSON"})
    else:
        raw.delete(key)
    if damage == "text":
        raw.set(key, "text", ex=60)
    assert (await store.jobs.cancel(job)).status == "cancelled"
    with pytest.raises(ComparisonNotFound):
        await store.comparisons.get(begun.id)


async def test_idempotency(make_store: MakeStore) -> None:
    store = make_store()
    key = Idempotency("key", "print")
    begun = await store.comparisons.begin("ana", key)
    assert await store.comparisons.begin("ana", key) == (begun.id, False)
    await store.comparisons.complete(begun.id, [])
    assert await store.comparisons.begin("ana", key) == (begun.id, True)
    assert (await store.comparisons.begin("ben", key)).id != begun.id
    with pytest.raises(IdempotencyConflict):
        await store.comparisons.begin("ana", Idempotency("key", "other"))
    await store.comparisons.drop(begun.id)
    assert (await store.comparisons.begin("ana", Idempotency("key", "other"))).id != begun.id


async def test_the_owner(make_store: MakeStore) -> None:
    store = make_store()
    begun = await store.comparisons.begin("ana", None)
    await store.comparisons.complete(begun.id, [])
    assert (await store.comparisons.get(begun.id, "ana")).id == begun.id
    with pytest.raises(ComparisonNotFound):
        await store.comparisons.get(begun.id, "ben")


async def test_jobs_that_are_kept(make_store: MakeStore, raw: redis.Redis, namespace: str) -> None:
    store = make_store()
    job = (await store.jobs.submit(NewJob(spec(), b"in", rows=1))).record.id
    raw.set(f"{namespace}:job:damaged", "text", ex=60)
    assert list(await store.comparisons.jobs([job, "gone", "damaged"])) == [job]
    assert await store.comparisons.jobs([]) == {}
