"""A job goes to the worker that would end it soonest."""

import asyncio
from collections.abc import Callable

import pytest
import redis

from broker import JobStore, NewJob, WorkAhead, WorkerInfo, WorkerQueue
from broker.tuning import CLAIM_SLACK_MS, NOMINAL_ROWS
from schemas.requests import Priority
from tests.broker.conftest import MakeQueue
from tests.broker.helpers import QUEUE, spec, submit_job

pytestmark = pytest.mark.anyio
ROW_S = 0.001
MANY = 1_000


class Worker:
    """A registered worker. `take` claims what it may, with so much to compute before."""

    def __init__(self, queue: WorkerQueue, name: str) -> None:
        self.queue = queue
        info = WorkerInfo(id=name, device="cpu", host="h", pid=1, started_ms=0, models=[QUEUE])
        queue.registration.announce(info, [])

    def take(
        self,
        ahead_s: float = 0.0,
        *,
        batch_s: float = 0.0,
        row_s: float = ROW_S,
        load_s: float = 0.0,
        capacity: int = MANY,
        block_ms: int = 0,
    ) -> list[str]:
        loads = {QUEUE: load_s} if load_s else {}
        rows = {QUEUE: row_s} if row_s else {}
        work = WorkAhead(ahead_s, ahead_s + batch_s, rows, loads)
        claims = self.queue.claims.take({QUEUE: capacity}, block_ms, is_idle=not ahead_s, ahead=lambda: work)
        return [claim.job_id for claim in claims]

    def tell(self, ahead_s: float = 0.0) -> None:
        """Has no capacity, and so much to compute."""
        self.queue.claims.tell([QUEUE], lambda: WorkAhead(ahead_s, ahead_s, {QUEUE: ROW_S}))


@pytest.fixture
def one(make_queue: MakeQueue) -> Worker:
    return Worker(make_queue("one"), "one")


@pytest.fixture
def two(make_queue: MakeQueue) -> Worker:
    return Worker(make_queue("two"), "two")


async def submit(store: JobStore, count: int = 1, rows: int = 50, priority: Priority = "interactive") -> list[str]:
    jobs = [await submit_job(store, NewJob(spec(priority), b"in", rows=rows)) for _ in range(count)]
    return [job_id for job_id, _ in jobs]


async def test_a_worker_with_a_queue_leaves_a_job_to_one_without(store: JobStore, one: Worker, two: Worker) -> None:
    assert one.take(2.0) == two.take() == []
    jobs = await submit(store)
    assert one.take(2.0) == []
    assert two.take() == jobs


async def test_the_first_that_looks_takes_the_job_where_the_difference_does_not_matter(
    store: JobStore, one: Worker, two: Worker
) -> None:
    assert two.take() == []
    jobs = await submit(store)
    assert one.take(0.8 * CLAIM_SLACK_MS / 1000) == jobs


@pytest.mark.parametrize("reason", ["it left", "it has no capacity and nothing to compute", "it was killed"])
async def test_a_job_waits_for_no_worker_that_will_not_come(
    store: JobStore, one: Worker, two: Worker, reason: str, raw: redis.Redis, namespace: str
) -> None:
    if reason == "it has no capacity and nothing to compute":
        two.tell()
    else:
        assert two.take() == []
    if reason == "it left":
        two.queue.claims.leave([QUEUE])
    jobs = await submit(store)
    assert await asyncio.to_thread(one.take, 60.0, block_ms=60_000) == jobs
    if reason == "it was killed":
        assert raw.hkeys(f"{namespace}:claimers:{QUEUE}") == ["one"], "its entry is gone"


async def test_what_is_left_to_others_is_looked_at_soon_again(store: JobStore, one: Worker, two: Worker) -> None:
    """The other one claims something else meanwhile: no new entry of the stream wakes the first."""
    assert one.take(2.0) == two.take() == []
    jobs = await submit(store)
    assert one.take(2.0) == []
    waiting = asyncio.create_task(asyncio.to_thread(one.take, 2.0, block_ms=60_000))
    assert two.take(3.0) == [], "it has more to do than the first"
    assert await waiting == jobs


async def test_jobs_are_divided_by_the_speed_of_the_devices(store: JobStore, one: Worker, two: Worker) -> None:
    jobs = await submit(store, count=100)
    taken: dict[Worker, list[str]] = {one: [], two: []}
    row_s = {one: ROW_S, two: 4 * ROW_S}
    done = False
    while not done:
        before = sum(map(len, taken.values()))
        for worker, own in taken.items():
            ahead_s = len(own) * 50 * row_s[worker]
            own.extend(worker.take(ahead_s, row_s=row_s[worker], capacity=8))
        done = sum(map(len, taken.values())) == before
    assert sorted(taken[one] + taken[two]) == sorted(jobs)
    assert len(taken[one]) / len(taken[two]) == pytest.approx(4, rel=0.2)


async def test_one_claim_takes_no_more_than_its_part(store: JobStore, one: Worker, two: Worker) -> None:
    """With room for all, a worker stops where another one would end the next job sooner."""
    assert two.take() == []
    jobs = await submit(store, count=10, rows=1_000)
    assert one.take() == jobs[:1]
    taken = two.take()
    assert taken == jobs[1 : 1 + len(taken)]
    assert 1 <= len(taken) <= 2, "a second one while its end lies within the slack"


async def test_rows_of_batch_jobs_do_not_count_for_interactive_ones(store: JobStore, one: Worker, two: Worker) -> None:
    ahead: Callable[[], list[str]] = lambda: one.take(batch_s=10.0)  # noqa: E731  # said twice
    assert ahead() == two.take(1.0) == []
    interactive = await submit(store)
    batch = await submit(store, priority="batch")
    assert ahead() == interactive
    assert two.take(1.0) == batch


async def test_a_worker_without_capacity_counts_while_it_computes(store: JobStore, one: Worker, two: Worker) -> None:
    two.tell(1.0)
    jobs = await submit(store)
    assert one.take(3.0) == []
    assert two.take(0.9) == jobs
    jobs = await submit(store)
    assert one.take(0.5) == jobs


async def test_a_batch_job_waits_for_no_worker_that_takes_none(store: JobStore, one: Worker, two: Worker) -> None:
    assert two.queue.claims.take({QUEUE: MANY}, 0, for_batch={QUEUE: 0}, is_idle=True) == []
    batch = await submit(store, priority="batch")
    assert one.take(5.0) == batch
    interactive = await submit(store)
    assert one.take(5.0) == []
    assert two.take() == interactive


async def test_the_load_of_a_model_counts(store: JobStore, one: Worker, two: Worker) -> None:
    """A model may be in memory at several workers, or has to be loaded first."""
    assert one.take(load_s=5.0) == two.take(1.0) == []
    jobs = await submit(store)
    assert one.take(load_s=5.0) == []
    assert two.take(1.0) == jobs
    jobs = await submit(store)
    assert two.take(9.0) == []
    assert one.take(load_s=5.0) == jobs


async def test_an_idle_slow_device_leaves_a_job_to_a_fast_one_that_ends_it_sooner(
    store: JobStore, one: Worker, two: Worker
) -> None:
    slow_s = 10 * ROW_S
    assert one.take(row_s=slow_s) == two.take(2 * NOMINAL_ROWS * ROW_S) == []
    jobs = await submit(store)
    assert one.take(row_s=slow_s) == []
    assert two.take(2 * NOMINAL_ROWS * ROW_S) == jobs


async def test_a_worker_that_does_not_know_its_pace_counts_as_the_others(
    store: JobStore, one: Worker, two: Worker
) -> None:
    assert one.take(row_s=0.0) == two.take(row_s=100 * ROW_S) == []
    jobs = await submit(store, count=2)
    assert one.take(row_s=0.0) == jobs[:1]
    assert two.take(row_s=100 * ROW_S) == jobs[1:]


async def test_jobs_that_were_handed_back_go_where_they_end_soonest(store: JobStore, one: Worker, two: Worker) -> None:
    jobs = await submit(store)
    (claim,) = one.queue.claims.take({QUEUE: 1}, 0)
    assert two.take() == []
    assert one.queue.claimed_jobs.release(claim)
    assert one.take(2.0) == []
    assert two.take() == jobs
