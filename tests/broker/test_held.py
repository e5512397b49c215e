"""What jobs hold of the queue and of the store comes back, however they end; and no key outlives its use."""

import random
from typing import Any

import pytest
import redis

from broker import Claim, Content, Idempotency, JobStore, NewJob, WorkerInfo, WorkerQueue
from schemas.jobs import JobStatus
from tests.broker.conftest import MakeQueue, MakeStore
from tests.broker.helpers import QUEUE, WAIT_MS, claim_one, spec, submit, submit_job
from tests.broker.test_round_trip import FAILURE

pytestmark = pytest.mark.anyio
STATUSES: tuple[JobStatus, ...] = ("queued", "running", "succeeded", "failed", "cancelled")
STEPS = 150


def queued(raw: redis.Redis, namespace: str) -> dict[str, str]:
    """The counters of what waits or runs."""
    load: Any = raw.hgetall(f"{namespace}:load")
    return {name: value for name, value in load.items() if name != "store"}


def expire(raw: redis.Redis, namespace: str, queue: WorkerQueue) -> None:
    """As if the time of everything that has one had passed; then heartbeats, until nothing is left to trim."""
    for name in ("expiry", "stored"):
        for member in raw.zrange(f"{namespace}:{name}", 0, -1):
            raw.zadd(f"{namespace}:{name}", {member: 1})
    for key in raw.scan_iter(f"{namespace}:*"):
        if raw.ttl(key) > 0:
            raw.delete(key)
    info = WorkerInfo(id="worker-1", device="cpu", host="here", pid=1, started_ms=0, models=[QUEUE])
    while raw.zcard(f"{namespace}:expiry") or raw.zcard(f"{namespace}:stored"):
        queue.registration.announce(info, [])
    queue.registration.retire()


class Life:
    """Jobs to which random things happen."""

    def __init__(self, store: JobStore, queues: list[WorkerQueue], seed: int) -> None:
        self.store, self.queues = store, queues
        self.random = random.Random(seed)
        self.jobs: list[str] = []
        self.claims: list[tuple[WorkerQueue, Claim]] = []

    async def step(self) -> None:
        await self.random.choice(
            [self.submit, self.submit, self.submit, self.claim, self.claim, self.end, self.cancel]
        )()

    async def submit(self) -> None:
        content = Content(f"content-{self.random.randrange(4)}") if self.random.random() < 0.6 else None
        key = Idempotency(f"key-{self.random.randrange(9)}", "print") if self.random.random() < 0.2 else None
        priority = self.random.choice(["interactive", "batch"])
        payload = bytes(self.random.randrange(1, 2000))
        job = NewJob(spec(priority), payload, self.random.randrange(1, 900), key, content)  # type: ignore[arg-type]
        self.jobs.append((await self.store.jobs.submit(job)).record.id)

    async def claim(self) -> None:
        """Some leases lapse at once: their worker has died."""
        queue = self.random.choice(self.queues)
        self.claims += [(queue, claim) for claim in queue.claims.take({QUEUE: self.random.randrange(1, 5)}, 0)]

    async def end(self) -> None:
        if not self.claims:
            return
        queue, claim = self.claims.pop(self.random.randrange(len(self.claims)))
        match self.random.randrange(5):
            case 0:
                queue.claimed_jobs.fail(claim, FAILURE)
            case 1:
                queue.claimed_jobs.release(claim)
            case 2:
                pass  # forgotten: the worker has died
            case _:
                queue.claimed_jobs.finish(claim, b"{}", bytes(self.random.randrange(1, 100_000)))

    async def cancel(self) -> None:
        if self.jobs:
            await self.store.jobs.cancel(self.random.choice(self.jobs))


@pytest.mark.parametrize("seed", range(6))
async def test_counters_return_to_zero_and_indexes_agree(
    make_store: MakeStore, make_queue: MakeQueue, raw: redis.Redis, namespace: str, seed: int
) -> None:
    store = make_store()
    queues = [make_queue("patient"), make_queue("dead", lease_ms=1, max_attempts=2)]
    life = Life(store, queues, seed)
    for _ in range(STEPS):
        await life.step()
    everything = {job.id: job.status for job in (await store.jobs.page(limit=200))[0]}
    assert set(everything) == set(life.jobs)
    for status in STATUSES:
        for model in (None, "squarer"):
            listed = [job.id for job in (await store.jobs.page(status=status, model=model, limit=200))[0]]
            assert listed == [job_id for job_id, found in everything.items() if found == status]

    for job_id in everything:
        await store.jobs.cancel(job_id)
    assert queued(raw, namespace) == {}
    assert int(raw.hget(f"{namespace}:load", "store") or 0) > 0, "records are still stored"
    expire(raw, namespace, queues[0])
    left = {key.removeprefix(f"{namespace}:").split(":")[0] for key in raw.scan_iter(f"{namespace}:*")}
    assert left <= {"queues", "queue", "groups"}, "no counter, no index, no digest, no key of a client"


async def test_a_job_whose_record_was_lost_gives_back_what_it_held(
    store: JobStore, queue: WorkerQueue, raw: redis.Redis, namespace: str
) -> None:
    lost, kept = await submit(store), await submit(store)
    raw.delete(f"{namespace}:job:{lost}")
    assert claim_one(queue).job_id == kept
    await store.jobs.cancel(kept)
    assert queued(raw, namespace) == {}


async def test_a_dead_workers_job_is_held_until_another_ends_it(
    make_store: MakeStore, make_queue: MakeQueue, raw: redis.Redis, namespace: str
) -> None:
    store, lost, heir = make_store(), make_queue("lost", lease_ms=50), make_queue("heir", lease_ms=50)
    await submit(store)
    stale = claim_one(lost)
    fresh = claim_one(heir, WAIT_MS)
    assert queued(raw, namespace)
    assert not lost.claimed_jobs.finish(stale, b"{}", b"t")
    assert queued(raw, namespace)
    assert heir.claimed_jobs.finish(fresh, b"{}", b"t")
    assert queued(raw, namespace) == {}


async def test_digests_and_idempotency_keys_are_kept_as_long_as_their_job(
    make_store: MakeStore, make_queue: MakeQueue, raw: redis.Redis, namespace: str
) -> None:
    store, queue = make_store(), make_queue(result_ttl_s=100)
    job = NewJob(spec(), b"in", 1, Idempotency("key", "print"), Content("same"))
    job_id, _ = await submit_job(store, job)
    names = [next(raw.scan_iter(f"{namespace}:{kind}:*")) for kind in ("content", "idempotency")]
    assert all(raw.ttl(name) > 100 for name in names)
    assert queue.claimed_jobs.finish(claim_one(queue), b"{}", b"t")
    for name in [*names, f"{namespace}:job:{job_id}"]:
        assert 90 < raw.ttl(name) <= 100, name
    _, outcome = await submit_job(store, NewJob(spec(), b"in", 1, content=Content("same")))
    assert outcome == "hit"
    assert 90 < raw.ttl(names[0]) <= 100
