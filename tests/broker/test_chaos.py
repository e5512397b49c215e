"""Many clients and many workers, some of which die or give up: every job ends exactly once."""

import asyncio
import random
import threading
from collections import Counter

import pytest
import redis

from broker import JobStore, WorkerQueue
from schemas.errors import StoreUnavailable
from tests.broker.conftest import MakeQueue, MakeStore
from tests.broker.helpers import QUEUE, submit
from tests.broker.test_round_trip import FAILURE
from tests.servers import StoreServer

pytestmark = pytest.mark.anyio
JOBS = 200


class Crew:
    """Worker threads that work until told to stop, losing some jobs on the way."""

    def __init__(self, queues: list[WorkerQueue], seed: int) -> None:
        self.ended: Counter[str] = Counter()
        self.stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._work, args=(queue, random.Random(seed + i))) for i, queue in enumerate(queues)
        ]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        self.stop.set()
        for thread in self._threads:
            thread.join()

    def _work(self, queue: WorkerQueue, chance: random.Random) -> None:
        while not self.stop.is_set():
            try:
                for claim in queue.claims.take({QUEUE: chance.randint(1, 8)}, 50):
                    fate = chance.random()
                    if fate < 0.1 and claim.attempt < 3:
                        continue  # forgotten, as by a worker that dies
                    if fate < 0.2:
                        queue.claimed_jobs.release(claim)
                        continue
                    queue.claimed_jobs.progress(claim, 1, 2)
                    ended = (
                        queue.claimed_jobs.fail(claim, FAILURE)
                        if fate < 0.3
                        else queue.claimed_jobs.finish(claim, b"{}", claim.payload)
                    )
                    if ended:
                        with self._lock:
                            self.ended[claim.job_id] += 1
            except StoreUnavailable:
                self.stop.wait(0.01)


async def last_status(store: JobStore, job_id: str) -> str:
    async with store.jobs.watch(job_id) as changes:
        return [job.status async for job in changes][-1]


async def test_two_hundred_jobs_end_exactly_once(store: JobStore, make_queue: MakeQueue) -> None:
    crew = Crew([make_queue(f"worker-{i}", lease_ms=100) for i in range(6)], seed=1)
    try:

        async def whole(i: int) -> tuple[str, str]:
            job_id = await submit(store, "batch" if i % 3 else "interactive", payload=str(i).encode())
            if i % 10 == 0:
                await store.jobs.cancel(job_id)
            status = await last_status(store, job_id)
            if status == "succeeded":
                assert await store.results.get(job_id) == (b"{}", str(i).encode())
            return job_id, status

        async with asyncio.timeout(60):
            ends = dict(await asyncio.gather(*(whole(i) for i in range(JOBS))))
    finally:
        crew.join()
    assert len(ends) == JOBS
    ended_by_workers = {job_id for job_id, status in ends.items() if status in {"succeeded", "failed"}}
    assert crew.ended == Counter(ended_by_workers)
    assert await store.jobs.backlog() == {QUEUE: 0}


async def test_a_burst_larger_than_the_pool_is_served(store: JobStore, queue: WorkerQueue) -> None:
    jobs = await asyncio.gather(*(submit(store) for _ in range(300)))
    claims = queue.claims.take({QUEUE: 1000}, 0)
    assert sorted(claim.job_id for claim in claims) == sorted(jobs)


async def test_broken_connections_lose_no_job(
    make_store: MakeStore, make_queue: MakeQueue, own_server: StoreServer, raw: redis.Redis
) -> None:
    store = make_store(queue_depth=JOBS)
    crew = Crew([make_queue(f"worker-{i}", lease_ms=100, max_attempts=50) for i in range(3)], seed=2)
    try:
        jobs = await asyncio.gather(*(submit(store) for _ in range(JOBS // 2)))
        for _ in range(5):
            raw.client_kill_filter(_type="normal", skipme=True)
            await submit_anyhow(store)
        async with asyncio.timeout(60):
            statuses = await asyncio.gather(*(last_status(store, job_id) for job_id in jobs))
    finally:
        crew.join()
    assert set(statuses) <= {"succeeded", "failed"}


async def submit_anyhow(store: JobStore) -> str:
    """As a client does: again after a refusal."""
    while True:
        try:
            return await submit(store)
        except StoreUnavailable:
            continue
