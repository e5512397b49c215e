"""A pause of the store is no death of a worker: its jobs stay where they are, and no attempt counts."""

import asyncio
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest
import redis

from broker import Claim, JobStore, WorkerInfo, WorkerQueue
from schemas.errors import StoreUnavailable
from tests.broker.conftest import MakeQueue, MakeStore
from tests.broker.helpers import QUEUE, WAIT_MS, claim_one, submit
from tests.servers import StoreServer

pytestmark = pytest.mark.anyio
LEASE_MS = 1_200
PAUSE_S = 2.5  # twice a lease
TICK_S = LEASE_MS / 1e3 / 4
TIMEOUTS_S = {"patient": 10.0, "impatient": 0.5, "as impatient": 0.5}  # longer and shorter than a pause


def announce(queue: WorkerQueue, worker_id: str) -> None:
    info = WorkerInfo(id=worker_id, device="cpu", host="h", pid=1, started_ms=0, models=[QUEUE])
    queue.registration.announce(info, [])


class Worker(threading.Thread):
    """Claims, renews and sends heartbeats as a worker does, and never finishes a job."""

    def __init__(self, queue: WorkerQueue, worker_id: str) -> None:
        super().__init__(daemon=True)
        self._queue = queue
        self._id = worker_id
        self._stop_event = threading.Event()
        self.claims: dict[str, Claim] = {}
        self.attempts: list[int] = []
        self.renewed = threading.Event()

    def run(self) -> None:
        due_s = 0.0
        while not self._stop_event.is_set():
            try:
                for claim in self._queue.claims.take({QUEUE: 8}, 100):
                    self.claims[claim.job_id] = claim
                    self.attempts.append(claim.attempt)
                if time.monotonic() > due_s:
                    due_s = time.monotonic() + TICK_S
                    announce(self._queue, self._id)
                    for job_id in self._queue.claimed_jobs.renew(list(self.claims.values())):
                        del self.claims[job_id]
                    self.renewed.set()
            except StoreUnavailable:
                self._stop_event.wait(0.05)

    def end(self) -> None:
        self._stop_event.set()
        self.join(30)
        assert not self.is_alive()


@contextmanager
def working(make_queue: MakeQueue, timeouts_s: Mapping[str, float]) -> Iterator[list[Worker]]:
    """A worker for each name, with its limit for a reply of the store."""
    workers = [
        Worker(make_queue(name, lease_ms=LEASE_MS, timeout_s=timeout_s), name) for name, timeout_s in timeouts_s.items()
    ]
    for worker in workers:
        worker.start()
    try:
        yield workers
    finally:
        for worker in workers:
            worker.end()


async def renewed_again(workers: list[Worker]) -> None:
    """Returns when each worker has renewed twice from now on: its second renewal began after this call."""
    for _ in range(2):
        for worker in workers:
            worker.renewed.clear()
            assert await asyncio.to_thread(worker.renewed.wait, 30)


def pause_process(server: StoreServer) -> None:
    server.pause()
    time.sleep(PAUSE_S)  # the length of the pause is what is tested
    server.resume()


def pause_clients(server: StoreServer) -> None:
    with redis.Redis.from_url(server.url) as client:
        client.client_pause(int(PAUSE_S * 1e3))
        client.ping()  # answered after the pause


@pytest.mark.parametrize("pause", [pause_process, pause_clients], ids=["stopped", "client-pause"])
async def test_three_pauses_fail_no_job(
    make_store: MakeStore, make_queue: MakeQueue, own_server: StoreServer, pause: object
) -> None:
    store = make_store(timeout_s=10.0)
    with working(make_queue, TIMEOUTS_S) as workers:
        jobs = [await submit(store) for _ in range(6)]
        await renewed_again(workers)
        for _ in range(3):
            await asyncio.to_thread(pause, own_server)  # type: ignore[arg-type]
            await renewed_again(workers)
        async with asyncio.timeout(30):  # a claim whose reply was lost in a pause lapses first
            while {job for worker in workers for job in worker.claims} != set(jobs):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        records = [await store.jobs.get(job) for job in jobs]
    assert {(record.status, record.attempts) for record in records} == {("running", 1)}
    assert {attempt for worker in workers for attempt in worker.attempts} == {1}


async def test_a_lost_reply_is_no_death(store: JobStore, make_queue: MakeQueue) -> None:
    """The script of a claim ran and its reply never came: three times, the worker lives on and knows of no job."""
    job_id = await submit(store)
    for _ in range(4):
        for name in ("forgetful", "other"):
            queue = make_queue(name, lease_ms=400)
            announce(queue, name)
        taken = asyncio.create_task(asyncio.to_thread(claim_one, make_queue("forgetful", lease_ms=400), WAIT_MS))
        while not taken.done():
            announce(make_queue("forgetful", lease_ms=400), "forgetful")
            await asyncio.sleep(0.05)
        assert taken.result().attempt == 1
    record = await store.jobs.get(job_id)
    assert (record.status, record.attempts) == ("running", 1)


async def test_a_death_counts_while_the_store_answers(store: JobStore, make_queue: MakeQueue) -> None:
    """Heartbeats that stopped count, though the registry still lists the worker."""
    job_id = await submit(store)
    for attempt in (1, 2, 3):
        queue = make_queue(f"victim-{attempt}", lease_ms=300)
        announce(queue, f"victim-{attempt}")
        assert claim_one(queue, WAIT_MS).attempt == attempt
    survivor = make_queue("survivor", lease_ms=300)
    async with store.jobs.watch(job_id) as changes:
        claiming = asyncio.create_task(asyncio.to_thread(survivor.claims.take, {QUEUE: 1}, 2_000))
        last = [job async for job in changes][-1]
        assert await claiming == []
    assert last.error is not None
    assert last.error.code == "worker_lost"


async def test_the_jobs_of_a_replaced_worker_are_taken_at_once(store: JobStore, make_queue: MakeQueue) -> None:
    dead, other = make_queue("dead-1"), make_queue("dead-10")
    job_id = await submit(store)
    announce(dead, "dead-1")
    claim = claim_one(dead)
    kept = await submit(store)
    claim_one(other)
    successor = make_queue("dead-2")
    assert successor.registration.inherit("dead-1") == 1
    taken = claim_one(successor)
    assert (taken.job_id, taken.attempt) == (job_id, 2)
    assert successor.claims.take({QUEUE: 8}, 0) == []
    assert not dead.claimed_jobs.finish(claim, b"{}", b"t")
    assert [worker.id for worker in await store.workers.live()] == []
    assert (await store.jobs.get(kept)).attempts == 1
    assert successor.registration.inherit("nobody") == 0


async def test_a_worker_that_keeps_its_name_cannot_die_without_count(store: JobStore, make_queue: MakeQueue) -> None:
    await submit(store)
    for attempt in (1, 2, 3):
        queue = make_queue("same")
        queue.registration.inherit("same")
        announce(queue, "same")
        assert claim_one(queue).attempt == attempt


async def test_a_job_that_is_given_up_three_times_fails(store: JobStore, make_queue: MakeQueue) -> None:
    from tests.broker.test_round_trip import FAILURE  # noqa: PLC0415

    queue = make_queue()
    job_id = await submit(store)
    for attempt in (1, 2, 3):
        claim = claim_one(queue)
        assert claim.attempt == attempt
        assert queue.claimed_jobs.give_up(claim, FAILURE)
        assert not queue.claimed_jobs.give_up(claim, FAILURE), "it is no longer this worker's"
    record = await store.jobs.get(job_id)
    assert (record.status, record.error) == ("failed", FAILURE)


async def test_models_with_waiting_or_running_jobs_are_known(store: JobStore, queue: WorkerQueue) -> None:
    assert queue.waiting_jobs.models() == []
    await submit(store)
    assert queue.waiting_jobs.models() == [QUEUE]
    claim = claim_one(queue)
    assert queue.waiting_jobs.models() == [QUEUE]
    queue.claimed_jobs.finish(claim, b"{}", b"t")
    assert queue.waiting_jobs.models() == []
