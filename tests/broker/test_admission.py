"""What is accepted while the queue or the store is full: bounds by work and bytes, the share of interactive jobs, and
that nothing of one client drives out another's."""

import asyncio

import pytest
import redis

from broker import Content, JobStore, NewJob, QueueBounds, WorkerQueue
from broker.tuning import BATCH_SHARE, UNKNOWN_ROWS_PER_S
from schemas.errors import Overloaded, StoreFull
from tests.broker.conftest import MakeQueue, MakeStore
from tests.broker.helpers import QUEUE, claim_one, spec, submit
from tests.servers import StoreServer

pytestmark = pytest.mark.anyio
AT_ONCE = 50  # fewer than the connections to the store, so that none waits for one on a busy machine
KIB = 1 << 10
PICTURE_BYTES = 600 * KIB  # of one picture as the model sees it


async def accepted(store: JobStore, count: int, job: NewJob) -> int:
    """How many of so many submissions are accepted."""
    answers: list[object] = []
    for start in range(0, count, AT_ONCE):
        submissions = (store.jobs.submit(job) for _ in range(start, min(count, start + AT_ONCE)))
        answers += await asyncio.gather(*submissions, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, BaseException)]
    assert all(isinstance(error, Overloaded | StoreFull) and error.retry_after_s for error in refused), refused
    return count - len(refused)


@pytest.mark.parametrize(
    "bounds",
    [
        QueueBounds(depth=200),
        QueueBounds(seconds=200 * 50 // UNKNOWN_ROWS_PER_S),
        QueueBounds(queue_bytes=200 * KIB * 5 // 4),
    ],
    ids=["jobs", "rows", "bytes"],
)
async def test_batch_work_leaves_room_for_interactive_requests(make_store: MakeStore, bounds: QueueBounds) -> None:
    """Of 58 interactive requests, 54 were refused while batch work filled the queue."""
    store = make_store(bounds=bounds)
    batch = NewJob(spec("batch"), bytes(KIB), rows=50)
    assert await accepted(store, 300, batch) == 200 * BATCH_SHARE
    assert await accepted(store, 58, NewJob(spec("interactive"), bytes(KIB), rows=50)) == 58
    assert await accepted(store, 10, batch) == 0


async def test_a_refusal_names_what_is_full_and_for_whom(make_store: MakeStore) -> None:
    jobs = {
        "the queue of squarer@1 is full of jobs": QueueBounds(depth=1),
        "the queue of squarer@1 is full of rows": QueueBounds(seconds=1),
        "the queue of squarer@1 is full of bytes": QueueBounds(queue_bytes=10 * KIB),
    }
    for model, (text, bounds) in enumerate(jobs.items()):
        store = make_store(bounds=bounds)
        job = NewJob(spec(version="1", model="squarer"), bytes(8 * KIB), rows=400)
        if model:
            claims = await store.jobs.page()
            await store.jobs.cancel(claims[0][0].id)
        await store.jobs.submit(job)
        with pytest.raises(Overloaded, match=text) as refused:
            await store.jobs.submit(job)
        assert 1 <= (refused.value.retry_after_s or 0) <= 60


async def test_all_models_together_are_bounded_too(make_store: MakeStore) -> None:
    store = make_store(bounds=QueueBounds(queue_bytes=100 * KIB))
    taken = 0
    for model in range(4):
        taken += await accepted(store, 10, NewJob(spec(model=f"m{model}"), bytes(8 * KIB), rows=1))
    assert taken == 10 + 2, "the first model holds 80 %, the second what is left"
    with pytest.raises(Overloaded, match="all models is full of bytes"):
        await store.jobs.submit(NewJob(spec(model="m2"), bytes(8 * KIB), rows=1))


async def test_one_job_larger_than_the_bound_is_accepted(make_store: MakeStore) -> None:
    store = make_store(bounds=QueueBounds(seconds=1, queue_bytes=KIB))
    for priority in ("batch", "interactive"):
        assert await accepted(store, 3, NewJob(spec(priority), bytes(4 * KIB), rows=20_000)) == 1


async def test_a_measured_pace_takes_the_place_of_the_fixed_one(
    make_store: MakeStore, raw: redis.Redis, namespace: str
) -> None:
    store = make_store(bounds=QueueBounds(seconds=10))
    raw.hset(f"{namespace}:pace:squarer@1", mapping={"rows": 2_000, "busy_ms": 20_000})  # a hundred rows a second
    assert await accepted(store, 30, NewJob(spec(), b"in", rows=100)) == 10
    with pytest.raises(Overloaded) as refused:
        await store.jobs.submit(NewJob(spec(), b"in", rows=700))
    assert refused.value.retry_after_s == 7


async def test_ended_jobs_measure_the_pace(
    store: JobStore, queue: WorkerQueue, raw: redis.Redis, namespace: str
) -> None:
    for _ in range(3):
        await submit(store)
        claim = claim_one(queue)
        raw.hset(f"{namespace}:job:{claim.job_id}", "started_ms", claim.started_ms - 500)  # it takes half a second
        raw.hdel(f"{namespace}:pace:squarer@1", "finished_ms")
        assert queue.claimed_jobs.finish(claim, b"{}", b"t")
    rows, busy_ms = (float(value) for value in raw.hmget(f"{namespace}:pace:squarer@1", "rows", "busy_ms"))
    assert rows / busy_ms == pytest.approx(50 / 500, rel=0.2)


async def test_pictures_do_not_drive_out_the_results_of_another_client(
    make_store: MakeStore, make_queue: MakeQueue, own_server: StoreServer, raw: redis.Redis
) -> None:
    """40 pictures in 2 s evicted 50 results and the registry."""
    raw.config_set("maxmemory-policy", "noeviction")
    raw.config_set("maxmemory", int(raw.info("memory")["used_memory"]) + 40 * PICTURE_BYTES)
    store, queue = make_store(), make_queue()
    theirs = [await submit(store) for _ in range(50)]
    for claim in queue.claims.take({QUEUE: 50}, 0):
        assert queue.claimed_jobs.finish(claim, b"{}", bytes(20 * KIB))

    picture = NewJob(spec(), bytes(PICTURE_BYTES), rows=50, result_bytes=PICTURE_BYTES)
    taken = sum([await accepted(store, 1, picture) for _ in range(40)])
    assert 5 <= taken < 20, "what is accepted has room for its result"
    for claim in queue.claims.take({QUEUE: 40}, 0):
        assert queue.claimed_jobs.finish(claim, b"{}", bytes(PICTURE_BYTES)), "and can be finished"
    with pytest.raises(StoreFull, match="no room for another result"):
        await store.jobs.submit(picture)
    for job_id in theirs:
        assert (await store.results.get(job_id))[1] == bytes(20 * KIB)
    assert int(raw.info("stats")["evicted_keys"]) == 0


async def test_room_in_the_store_comes_back_when_results_expire(
    make_store: MakeStore, queue: WorkerQueue, raw: redis.Redis, namespace: str
) -> None:
    store = make_store(bounds=QueueBounds(store_bytes=250 * KIB))
    job = NewJob(spec(), b"in", rows=1, result_bytes=100 * KIB)
    assert await accepted(store, 5, job) == 2
    for claim in queue.claims.take({QUEUE: 2}, 0):
        assert queue.claimed_jobs.finish(claim, b"{}", bytes(100 * KIB))
    assert await accepted(store, 1, job) == 0, "stored results count"
    for name in ("expiry", "stored"):  # as if their time had passed
        for member in raw.zrange(f"{namespace}:{name}", 0, -1):
            raw.zadd(f"{namespace}:{name}", {member: 1})
    assert await accepted(store, 1, job) == 0, "this one makes room"
    assert await accepted(store, 5, job) == 2


async def test_a_hit_keeps_the_stored_result_counted(
    store: JobStore, queue: WorkerQueue, raw: redis.Redis, namespace: str
) -> None:
    job = NewJob(spec(), b"in", rows=1, content=Content("same"))
    first = (await store.jobs.submit(job)).record.id
    assert queue.claimed_jobs.finish(claim_one(queue), b"{}", b"tensors")
    (member,) = raw.zrange(f"{namespace}:stored", 0, -1)
    raw.zadd(f"{namespace}:stored", {member: 10_000})
    assert (await store.jobs.submit(job)).outcome == "hit"
    assert member.startswith(first)
    assert float(raw.zscore(f"{namespace}:stored", member) or 0) > 10_000
