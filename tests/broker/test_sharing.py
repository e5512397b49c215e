"""Jobs of equal content share one computation, and stay jobs of their own."""

import asyncio
import json

import pytest
import redis

from broker import Content, FinishedJob, Idempotency, JobStore, NewJob, WorkerQueue
from schemas.errors import JobHasNoResult, Overloaded
from schemas.jobs import ClassRef, JobFailure
from schemas.requests import Priority
from tests.broker.conftest import MakeQueue, MakeStore
from tests.broker.helpers import QUEUE, claim_one, spec, submit_job

pytestmark = pytest.mark.anyio
SAME = Content("digest")
META = json.dumps({"id": "first", "timing": {"queued_ms": 1.5, "run_ms": 9.0, "rows": 52, "passes": 4}}).encode()
TARGET = [ClassRef(index=285, label="Egyptian cat")]


async def ask(store: JobStore, content: Content | None = SAME, priority: Priority = "interactive") -> tuple[str, str]:
    return await submit_job(store, NewJob(spec(priority), b"in", rows=52, content=content))


async def test_an_equal_job_is_answered_from_the_result(store: JobStore, queue: WorkerQueue) -> None:
    first, outcome = await ask(store)
    assert outcome == "created"
    assert queue.claimed_jobs.finish(claim_one(queue), META, b"tensors", TARGET)

    second, outcome = await ask(store)
    assert outcome == "hit"
    job = await store.jobs.get(second)
    assert (job.status, job.done, job.total, job.target) == ("succeeded", 52, 52, TARGET)
    assert job.finished_ms is not None
    meta, tensors = await store.results.get(second)
    assert tensors == b"tensors"
    assert json.loads(meta) == {
        "id": second,
        "cache": "hit",
        "timing": {"queued_ms": 0.0, "run_ms": 0.0, "rows": 0, "passes": 0},
    }
    assert await store.results.get(first) == (META, b"tensors")
    assert await store.jobs.payload(second) == b"in"
    assert queue.claims.take({QUEUE: 1}, 0) == []
    assert [job.id for job in (await store.jobs.page())[0]] == [second, first]


async def test_a_result_of_other_weights_answers_no_later_request(store: JobStore, queue: WorkerQueue) -> None:
    first, _ = await ask(store)
    follower, outcome = await ask(store)
    assert outcome == "shared"
    assert queue.claimed_jobs.finish_all([FinishedJob(claim_one(queue), META, b"tensors", TARGET, reusable=False)]) == [
        True
    ]
    assert [(await store.jobs.get(job_id)).status for job_id in (first, follower)] == ["succeeded", "succeeded"]
    later, outcome = await ask(store)
    assert outcome == "created"
    assert queue.claimed_jobs.finish_all([FinishedJob(claim_one(queue), META, b"newer", TARGET)]) == [True]
    assert (await ask(store))[1] == "hit"
    assert (await store.results.get(later))[1] == b"newer"


async def test_an_answer_outlives_the_job_that_computed_it(
    store: JobStore, queue: WorkerQueue, raw: redis.Redis, namespace: str
) -> None:
    first, _ = await ask(store)
    queue.claimed_jobs.finish(claim_one(queue), META, b"tensors")
    second, _ = await ask(store)
    raw.delete(f"{namespace}:job:{first}", f"{namespace}:payload:{first}")  # as when its time is up
    third, outcome = await ask(store)
    assert outcome == "hit"
    for job_id in (second, third):
        assert (await store.results.get(job_id))[1] == b"tensors"
    raw.delete(f"{namespace}:result:{first}")
    assert (await ask(store))[1] == "created"


async def test_a_hit_is_kept_as_long_as_its_own_job(
    store: JobStore, queue: WorkerQueue, raw: redis.Redis, namespace: str
) -> None:
    first, _ = await ask(store)
    queue.claimed_jobs.finish(claim_one(queue), META, b"tensors")
    raw.expire(f"{namespace}:result:{first}", 5)
    second, _ = await ask(store)
    assert raw.ttl(f"{namespace}:result:{first}") > 5
    assert raw.ttl(f"{namespace}:job:{second}") > 5
    assert raw.ttl(f"{namespace}:payload:{second}") > 5


async def test_equal_jobs_under_way_are_computed_once(store: JobStore, queue: WorkerQueue) -> None:
    leader, _ = await ask(store)
    early, outcome = await ask(store)
    assert outcome == "shared"
    assert (await store.jobs.get(early)).status == "queued"
    (claim,) = queue.claims.take({QUEUE: 8}, 0)
    late, outcome = await ask(store)
    assert outcome == "shared"
    assert {(await store.jobs.get(job_id)).status for job_id in (leader, early, late)} == {"running"}

    async with store.jobs.watch(late) as changes:
        assert (await anext(changes)).done == 0
        assert queue.claimed_jobs.progress(claim, 20, 60, TARGET)
        seen = await anext(changes)
        assert (seen.done, seen.total, seen.target) == (20, 60, TARGET)
        assert queue.claimed_jobs.finish(claim, META, b"tensors", TARGET)
        assert [job.status async for job in changes][-1] == "succeeded"
    for job_id in (early, late):
        assert (await store.jobs.get(job_id)).done == 60
        meta, tensors = await store.results.get(job_id)
        assert tensors == b"tensors"
        told = json.loads(meta)
        assert (told["id"], told["cache"], told["timing"]["rows"], told["timing"]["run_ms"]) == (job_id, "shared", 0, 9)
    assert await store.jobs.backlog() == {QUEUE: 0}


async def test_a_failure_is_shared_but_no_answer_to_later_jobs(store: JobStore, queue: WorkerQueue) -> None:
    await ask(store)
    follower, _ = await ask(store)
    failure = JobFailure(code="job_failed", title="The job failed", detail="the model raised")
    assert queue.claimed_jobs.fail(claim_one(queue), failure)
    job = await store.jobs.get(follower)
    assert (job.status, job.error) == ("failed", failure)
    assert (await ask(store))[1] == "created"


@pytest.mark.parametrize("running", [False, True])
async def test_followers_go_on_when_their_leader_is_cancelled(
    store: JobStore, queue: WorkerQueue, running: bool
) -> None:
    leader, _ = await ask(store)
    followers = [(await ask(store))[0] for _ in range(3)]
    if running:
        claim_one(queue)
    await store.jobs.cancel(leader)
    assert {(await store.jobs.get(job_id)).status for job_id in followers} == {"queued"}
    (claim,) = queue.claims.take({QUEUE: 8}, 0)
    assert claim.job_id in followers
    assert claim.payload == b"in"
    joined, outcome = await ask(store)
    assert outcome == "shared"
    assert queue.claimed_jobs.finish(claim, META, b"tensors")
    for job_id in (*followers, joined):
        assert (await store.results.get(job_id))[1] == b"tensors"
    with pytest.raises(JobHasNoResult):
        await store.results.get(leader)


async def test_a_cancelled_follower_leaves_the_others_alone(store: JobStore, queue: WorkerQueue) -> None:
    leader, _ = await ask(store)
    follower, _ = await ask(store)
    await store.jobs.cancel(follower)
    assert queue.claimed_jobs.finish(claim_one(queue), META, b"tensors")
    assert (await store.jobs.get(follower)).status == "cancelled"
    assert (await store.jobs.get(leader)).status == "succeeded"


async def test_an_interactive_job_follows_none_of_batch_priority(store: JobStore, queue: WorkerQueue) -> None:
    slow, _ = await ask(store, priority="batch")
    fast, outcome = await ask(store)
    assert outcome == "created"
    assert (await ask(store, priority="batch"))[1] == "shared"
    assert {claim.job_id for claim in queue.claims.take({QUEUE: 8}, 0)} == {slow, fast}


async def test_the_heir_of_an_interactive_job_is_interactive(store: JobStore, queue: WorkerQueue) -> None:
    leader, _ = await ask(store)
    for priority in ("batch", "batch", "batch"):
        await ask(store, priority=priority)
    heir, _ = await ask(store)
    await store.jobs.cancel(leader)
    assert [claim.job_id for claim in queue.claims.take({QUEUE: 8}, 0)] == [heir]


async def test_followers_move_to_another_worker_with_their_leader(store: JobStore, make_queue: MakeQueue) -> None:
    dying, other = make_queue(worker_id="dying", lease_ms=500), make_queue(worker_id="other", lease_ms=500)
    leader, _ = await ask(store)
    follower, _ = await ask(store)
    claim_one(dying)
    taken = await asyncio.to_thread(other.claims.take, {QUEUE: 1}, 10_000)
    assert [claim.job_id for claim in taken] == [leader]
    assert other.claimed_jobs.release(taken[0])
    assert (await store.jobs.get(follower)).status == "queued"
    assert other.claimed_jobs.finish(claim_one(other), META, b"tensors")
    assert (await store.results.get(follower))[1] == b"tensors"


async def test_what_is_not_to_be_reused_is_computed_anew(store: JobStore, queue: WorkerQueue) -> None:
    await ask(store)
    queue.claimed_jobs.finish(claim_one(queue), META, b"old")
    assert (await ask(store, None))[1] == "created"
    assert (await ask(store, Content("another digest")))[1] == "created"
    assert (await ask(store, Content("digest", reuse=False)))[1] == "created"
    claims = queue.claims.take({QUEUE: 8}, 0)
    assert len(claims) == 3
    for claim in claims:
        queue.claimed_jobs.finish(claim, META, b"new")
    again, outcome = await ask(store)
    assert outcome == "hit"
    assert (await store.results.get(again))[1] == b"new"


async def test_followers_are_bounded_and_hits_pass_a_full_queue(make_store: MakeStore, queue: WorkerQueue) -> None:
    store = make_store(queue_depth=2)
    await ask(store)
    for _ in range(2):
        assert (await ask(store))[1] == "shared"
    with pytest.raises(Overloaded):
        await ask(store)
    queue.claimed_jobs.finish(claim_one(queue), META, b"tensors")
    for _ in range(2):
        assert (await ask(store, None))[1] == "created"
    assert (await ask(store))[1] == "hit"


async def test_an_idempotency_key_goes_before(store: JobStore) -> None:
    key = Idempotency("key", "print")
    first, _ = await submit_job(store, NewJob(spec(), b"in", rows=1, idempotency=key, content=SAME))
    again = await submit_job(store, NewJob(spec(), b"in", rows=1, idempotency=key, content=SAME))
    assert again == (first, "known")
    assert (await ask(store))[1] == "shared"


async def test_all_of_it_is_forgotten(store: JobStore, queue: WorkerQueue, raw: redis.Redis, namespace: str) -> None:
    """Every key of ended jobs has a time to live."""
    leader, _ = await ask(store)
    await ask(store)
    await store.jobs.cancel(leader)
    await ask(store)
    queue.claimed_jobs.finish(claim_one(queue), META, b"tensors")
    await ask(store)
    lasting = [key for key in raw.scan_iter(f"{namespace}:*") if raw.ttl(key) == -1]
    kinds = {key.removeprefix(f"{namespace}:").split(":")[0] for key in lasting}
    assert kinds <= {"index", "listed", "expiry", "held", "load", "stored", "queues", "queue"}
