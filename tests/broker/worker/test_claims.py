"""Who gets which job when: priorities, leases, dead workers."""

import asyncio
import threading
import time

import pytest
import redis

from broker import JobStore, NewJob, WorkerQueue
from schemas.errors import WorkerLost
from schemas.model_key import ModelKey
from tests.broker.conftest import MakeQueue
from tests.broker.helpers import QUEUE, WAIT_MS, claim_one, spec, submit, submit_job

pytestmark = pytest.mark.anyio


async def test_interactive_goes_before_batch_and_first_come_first_served(store: JobStore, queue: WorkerQueue) -> None:
    batch = [await submit(store, "batch") for _ in range(2)]
    interactive = [await submit(store) for _ in range(2)]
    assert [claim.job_id for claim in queue.claims.take({QUEUE: 3}, 0)] == [*interactive, batch[0]]
    assert [claim.job_id for claim in queue.claims.take({QUEUE: 3}, 0)] == [batch[1]]


async def test_batch_jobs_take_the_part_of_the_capacity_that_is_theirs(store: JobStore, queue: WorkerQueue) -> None:
    batch = [await submit(store, "batch") for _ in range(4)]
    take = queue.claims.take
    assert [claim.job_id for claim in take({QUEUE: 9}, 0, for_batch={QUEUE: 2})] == batch[:2]
    assert take({QUEUE: 9}, 0, for_batch={QUEUE: 0}) == take({QUEUE: 9}, 0, for_batch={}) == []
    interactive = [await submit(store) for _ in range(2)]
    assert [claim.job_id for claim in take({QUEUE: 9}, 0, for_batch={QUEUE: 1})] == [*interactive, batch[2]]
    interactive.append(await submit(store))
    assert [claim.job_id for claim in take({QUEUE: 1}, 0, for_batch={QUEUE: 9})] == interactive[2:]
    assert [claim.job_id for claim in take({QUEUE: 9}, 0, for_batch={QUEUE: 9})] == batch[3:]


async def test_batch_does_not_starve_while_interactive_is_always_full(store: JobStore, queue: WorkerQueue) -> None:
    waiting = await submit(store, "batch")
    for _ in range(2):
        await submit(store)
    served = []
    for _ in range(8):
        claim = claim_one(queue)
        served.append(claim.job_id)
        assert queue.claimed_jobs.finish(claim, b"{}", b"t")
        await submit(store)
    assert served.index(waiting) == 7


async def test_each_model_has_room_of_its_own(store: JobStore, queue: WorkerQueue) -> None:
    for _ in range(3):
        await submit(store)
        await submit(store, model="another")
        await submit(store, model="unknown-here")
    claims = queue.claims.take({QUEUE: 2, ModelKey("another", "1"): 1}, 0)
    assert sorted(claim.spec.model for claim in claims) == ["another", "squarer", "squarer"]


async def test_a_waiting_worker_wakes_at_once(store: JobStore, queue: WorkerQueue) -> None:
    for priority in ("interactive", "batch"):
        waiting = asyncio.create_task(
            asyncio.to_thread(queue.claims.take, {QUEUE: 1, ModelKey("another", "1"): 1}, WAIT_MS)
        )
        job_id, _ = await submit_job(store, NewJob(spec(priority), b"in", rows=1))
        (claim,) = await waiting
        assert claim.job_id == job_id
        assert queue.claimed_jobs.finish(claim, b"{}", b"t")


async def test_waiting_ends_when_nothing_comes(queue: WorkerQueue) -> None:
    began = time.monotonic()
    assert await asyncio.to_thread(queue.claims.take, {QUEUE: 1}, 50) == []
    assert 0.05 <= time.monotonic() - began < 5


async def test_a_lapsed_job_goes_to_another_worker_and_the_zombie_can_write_nothing(
    store: JobStore, make_queue: MakeQueue
) -> None:
    zombie, healthy = make_queue("zombie", lease_ms=50), make_queue("healthy", lease_ms=50)
    job_id = await submit(store)
    lost = claim_one(zombie)
    claim = claim_one(healthy, WAIT_MS)
    assert (claim.job_id, claim.attempt) == (job_id, 2)

    assert zombie.claimed_jobs.renew([lost]) == {job_id}
    assert not zombie.claimed_jobs.progress(lost, 1, 2)
    assert not zombie.claimed_jobs.finish(lost, b"{}", b"zombie")
    assert not zombie.claimed_jobs.release(lost)
    assert healthy.claimed_jobs.finish(claim, b"{}", b"healthy")
    assert not zombie.claimed_jobs.finish(lost, b"{}", b"zombie")
    assert await store.results.get(job_id) == (b"{}", b"healthy")


async def test_renewed_leases_do_not_lapse(store: JobStore, make_queue: MakeQueue) -> None:
    keeper, rival = make_queue("keeper", lease_ms=300), make_queue("rival", lease_ms=300)
    await submit(store)
    kept = claim_one(keeper)
    stop = threading.Event()

    def keep() -> None:
        while not stop.wait(0.05):
            assert keeper.claimed_jobs.renew([kept]) == set()

    keeping = asyncio.create_task(asyncio.to_thread(keep))
    try:
        assert await asyncio.to_thread(rival.claims.take, {QUEUE: 1}, 900) == []
    finally:
        stop.set()
        await keeping
    assert keeper.claimed_jobs.finish(kept, b"{}", b"t")


async def test_the_one_lapsed_job_among_many_renewed_ones_is_found(store: JobStore, make_queue: MakeQueue) -> None:
    keeper, rival = make_queue("keeper"), make_queue("rival", lease_ms=50)
    for _ in range(60):
        await submit(store)
    claims = keeper.claims.take({QUEUE: 60}, 0)
    *renewed, lapsed = claims
    taken = claim_one(rival, WAIT_MS)  # the first one: nobody has renewed any
    assert taken.job_id == claims[0].job_id
    assert rival.claimed_jobs.release(taken)
    assert keeper.claimed_jobs.renew(renewed[1:]) == set()
    assert rival.claimed_jobs.finish(claim_one(rival), b"{}", b"t")
    assert claim_one(rival, WAIT_MS).job_id in {lapsed.job_id, renewed[1].job_id}


async def test_a_job_that_kills_three_workers_is_failed(store: JobStore, make_queue: MakeQueue) -> None:
    job_id = await submit(store)
    for attempt in (1, 2, 3):
        assert claim_one(make_queue(f"victim-{attempt}", lease_ms=30), WAIT_MS).attempt == attempt
    survivor = make_queue("survivor", lease_ms=30)
    async with store.jobs.watch(job_id) as changes:
        claiming = asyncio.create_task(asyncio.to_thread(survivor.claims.take, {QUEUE: 1}, 600))
        last = [job async for job in changes][-1]
        assert await claiming == []
    assert last.status == "failed"
    assert last.attempts == 3
    assert last.error is not None
    assert (last.error.code, last.error.detail) == (WorkerLost.code, "3 workers died while computing it")


async def test_forgotten_streams_are_made_again(store: JobStore, queue: WorkerQueue, raw: redis.Redis) -> None:
    await submit(store)
    claim = claim_one(queue)
    waiting = asyncio.create_task(asyncio.to_thread(queue.claims.take, {QUEUE: 1}, WAIT_MS))
    raw.delete(*raw.scan_iter("*:queue:*"))
    job_id = await submit(store)
    (found,) = await waiting
    assert found.job_id == job_id
    assert queue.claimed_jobs.renew([claim, found]) == set()
    assert queue.claimed_jobs.finish(claim, b"{}", b"t")
    assert queue.claimed_jobs.finish(found, b"{}", b"t")


async def test_jobs_that_vanished_are_dropped(
    store: JobStore, queue: WorkerQueue, raw: redis.Redis, namespace: str
) -> None:
    gone = [await submit(store) for _ in range(3)]
    kept = await submit(store)
    raw.delete(*(f"{namespace}:job:{job_id}" for job_id in gone))
    assert claim_one(queue).job_id == kept
    assert await store.jobs.backlog() == {QUEUE: 1}


async def test_jobs_on_their_last_attempt_are_started_one_by_one(store: JobStore, make_queue: MakeQueue) -> None:
    """One of them may be what kills workers; the others must not die beside it for good."""
    dying = make_queue("dying", lease_ms=50)
    killer, *innocent = [await submit(store) for _ in range(4)]
    for attempt in (1, 2):
        assert [c.attempt for c in dying.claims.take({QUEUE: 4}, WAIT_MS)] == [attempt] * 4
    healthy = make_queue("healthy", lease_ms=50)
    fresh = await submit(store)
    claims = healthy.claims.take({QUEUE: 8}, WAIT_MS)
    while not any(c.attempt == 3 for c in claims):
        claims += healthy.claims.take({QUEUE: 8}, WAIT_MS)
    assert [c.job_id for c in claims if c.attempt == 3] == [killer]
    assert {c.job_id for c in claims} <= {killer, fresh}
    assert healthy.claims.take({QUEUE: 8}, 0, last_attempts=0) == []
    for expected in innocent:
        claim = claim_one(healthy, WAIT_MS)
        assert (claim.job_id, claim.attempt) == (expected, 3)
        assert healthy.claimed_jobs.finish(claim, b"{}", b"t")
