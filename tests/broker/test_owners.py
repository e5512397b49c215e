"""Owners of jobs: what is one's own no other sees, limits hold, and claims take turns."""

import asyncio
from itertools import pairwise

import pytest
import redis

from broker import Content, Idempotency, JobStore, KeyLimits, NewJob, WorkerQueue
from broker.records import Submitted
from schemas.errors import JobNotFound, KeyLimitReached, Overloaded
from schemas.jobs import JobFailure
from schemas.requests import Priority
from tests.broker.conftest import MakeQueue, MakeStore
from tests.broker.helpers import QUEUE, claim_one, spec

pytestmark = pytest.mark.anyio
FAILURE = JobFailure(code="job_failed", title="t", detail="d")
NONE = KeyLimits()


def job(
    owner: str, rows: int = 10, limits: KeyLimits = NONE, priority: Priority = "interactive", **given: object
) -> NewJob:
    return NewJob(
        spec(priority).model_copy(update={"owner": owner}),
        b"in",
        rows,
        limits=limits,
        **given,  # type: ignore[arg-type]
    )


async def submit(store: JobStore, owner: str, rows: int = 10, priority: Priority = "interactive") -> str:
    return (await store.jobs.submit(job(owner, rows, priority=priority))).record.id


def owners(queue: WorkerQueue, count: int) -> list[str]:
    return [claim.spec.owner for claim in queue.claims.take({QUEUE: count}, 0)]


# --- turns ------------------------------------------------------------------------------------------------------------


async def test_five_jobs_behind_two_hundred_are_claimed_every_other_time(store: JobStore, queue: WorkerQueue) -> None:
    for _ in range(200):
        await submit(store, "greedy")
    owners(queue, 20)  # has had the worker for itself
    for _ in range(5):
        await submit(store, "modest")
    order = [owner for _ in range(12) for owner in owners(queue, 1)]
    assert order.count("modest") == 5
    last = max(place for place, owner in enumerate(order) if owner == "modest")
    assert last <= 10, "behind at most one job of the other for each of its own"


async def test_turns_count_rows_not_jobs(store: JobStore, queue: WorkerQueue) -> None:
    for _ in range(40):
        await submit(store, "small", rows=10)
        await submit(store, "large", rows=40)
    order = owners(queue, 50)
    rows = {"small": 0, "large": 0}
    for owner in order:
        rows[owner] += 10 if owner == "small" else 40
    assert abs(rows["small"] - rows["large"]) <= 40


async def test_each_owner_is_served_in_order_of_arrival(store: JobStore, queue: WorkerQueue) -> None:
    sent: dict[str, list[str]] = {"a": [], "b": [], "": []}
    for number in range(60):
        owner = ("a", "a", "b", "")[number % 4]
        sent[owner].append(await submit(store, owner))
    claimed: dict[str, list[str]] = {"a": [], "b": [], "": []}
    for claim in queue.claims.take({QUEUE: 60}, 0):
        claimed[claim.spec.owner].append(claim.job_id)
    assert claimed == sent


async def test_an_owner_that_comes_back_has_earned_no_credit(store: JobStore, queue: WorkerQueue) -> None:
    await submit(store, "away")
    assert owners(queue, 1) == ["away"]
    for _ in range(50):
        await submit(store, "busy")
    assert owners(queue, 30) == ["busy"] * 30
    for _ in range(20):
        await submit(store, "away")
    order = owners(queue, 20)
    assert all(one != other for one, other in pairwise(order)), order


async def test_priority_goes_before_turns(store: JobStore, queue: WorkerQueue) -> None:
    await submit(store, "a", priority="batch")
    for _ in range(3):
        await submit(store, "b")
    assert owners(queue, 4) == ["b", "b", "b", "a"]


async def test_entries_of_gateways_that_know_no_owners_are_claimed(
    store: JobStore, queue: WorkerQueue, raw: redis.Redis, namespace: str
) -> None:
    job_id = await submit(store, "")
    stream = f"{namespace}:queue:{QUEUE}:interactive"
    entry = raw.xrange(stream)[0][0]
    raw.xdel(stream, entry)
    raw.hset(f"{namespace}:job:{job_id}", "entry", str(raw.xadd(stream, {"job": job_id})))
    assert claim_one(queue).job_id == job_id


async def test_cancelled_and_released_jobs_leave_nothing_behind(
    store: JobStore, queue: WorkerQueue, raw: redis.Redis, namespace: str
) -> None:
    jobs = [await submit(store, owner) for owner in ("a", "b", "a", "b")]
    claim = claim_one(queue)
    assert queue.claimed_jobs.release(claim)
    for job_id in jobs:
        await store.jobs.cancel(job_id)
    assert queue.claims.take({QUEUE: 9}, 0) == []
    assert list(raw.scan_iter(f"{namespace}:waiting:*")) + list(raw.scan_iter(f"{namespace}:turns:*")) == []


async def test_a_dead_workers_job_is_claimed_once_more_and_others_once(store: JobStore, make_queue: MakeQueue) -> None:
    jobs = {await submit(store, owner) for owner in ("a", "b", "a")}
    dead, alive = make_queue("dead", lease_ms=50), make_queue("alive", lease_ms=50)
    lost = claim_one(dead)
    seen = []
    while len(seen) < 3:
        for claim in alive.claims.take({QUEUE: 3}, 500):
            assert alive.claimed_jobs.finish(claim, b"{}", b"t")
            seen.append(claim.job_id)
    assert sorted(seen) == sorted(jobs)
    assert not dead.claimed_jobs.finish(lost, b"{}", b"t")


# --- what is one's own ------------------------------------------------------------------------------------------------


async def test_only_the_owner_finds_a_job(store: JobStore) -> None:
    job_id = await submit(store, "ana")
    await store.jobs.check_owner(job_id, "ana")
    told = []
    for wanted, owner in ((job_id, "ben"), ("unknown", "ben"), (job_id, "an"), (job_id, "anas")):
        with pytest.raises(JobNotFound) as refused:
            await store.jobs.check_owner(wanted, owner)
        told.append(refused.value.detail.replace(wanted, "…"))
    assert len(set(told)) == 1, "others' jobs and those that do not exist look alike"
    with pytest.raises(JobNotFound):
        await store.jobs.check_owner(await submit(store, ""), "ana")


async def test_a_page_holds_the_owners_jobs(store: JobStore) -> None:
    own = [await submit(store, "ana") for _ in range(3)]
    for owner in ("ben", "an", ""):
        await submit(store, owner)
    page, following = await store.jobs.page(owner="ana", limit=2)
    assert [one.id for one in page] == own[:0:-1]
    assert [one.id for one in (await store.jobs.page(owner="ana", cursor=following))[0]] == own[:1]
    assert (await store.jobs.page(owner="cai"))[0] == []


async def test_the_index_of_an_owner_forgets_expired_jobs(
    store: JobStore, queue: WorkerQueue, raw: redis.Redis, namespace: str
) -> None:
    for _ in range(5):
        await submit(store, "ana")
    for claim in queue.claims.take({QUEUE: 5}, 0):
        queue.claimed_jobs.finish(claim, b"{}", b"t")
        raw.delete(f"{namespace}:job:{claim.job_id}")  # as if its TTL had passed
        raw.zadd(f"{namespace}:expiry", {f"{claim.job_id} ana": 1})
    await submit(store, "ben")
    assert raw.zcard(f"{namespace}:index:ana") == 0
    assert raw.zcard(f"{namespace}:expiry") == 0


async def test_owners_may_use_the_same_idempotency_key(store: JobStore) -> None:
    async def send(owner: str, fingerprint: str = "print") -> Submitted:
        return await store.jobs.submit(job(owner, idempotency=Idempotency("order-1", fingerprint)))

    first, other = await send("ana"), await send("ben", "another")
    assert (first.outcome, other.outcome) == ("created", "created")
    assert first.record.id != other.record.id
    again = await send("ana")
    assert (again.outcome, again.record.id) == ("known", first.record.id)


# --- limits -----------------------------------------------------------------------------------------------------------


async def test_rows_a_minute(store: JobStore) -> None:
    limits = KeyLimits(rows_per_minute=100)
    for _ in range(2):
        await store.jobs.submit(job("ana", 50, limits))
    with pytest.raises(KeyLimitReached, match="rows_per_minute: the key ana may have 100 rows") as refused:
        await store.jobs.submit(job("ana", 50, limits))
    assert 28 <= (refused.value.retry_after_s or 0) <= 30
    await store.jobs.submit(job("ben", 50, limits))
    await store.jobs.submit(job("ana", 50))  # of a key whose limit was lifted


async def test_many_at_once_do_not_pass_a_limit_together(store: JobStore) -> None:
    for name in ("rows_per_minute", "queued_rows"):
        limits = KeyLimits(**{name: 100})
        answers = await asyncio.gather(
            *(store.jobs.submit(job(f"owner-of-{name}", 10, limits)) for _ in range(40)), return_exceptions=True
        )
        assert sum(isinstance(answer, Submitted) for answer in answers) == 10
        assert sum(isinstance(answer, KeyLimitReached) for answer in answers) == 30


async def test_a_refused_request_costs_nothing(make_store: MakeStore, raw: redis.Redis, namespace: str) -> None:
    full = make_store(queue_depth=0)
    with pytest.raises(Overloaded):
        await full.jobs.submit(job("ana", 100, KeyLimits(100, 100)))
    assert list(raw.scan_iter(f"{namespace}:*")) == []


@pytest.mark.parametrize("end", ["finish", "fail", "cancel", "cancel waiting"])
async def test_rows_queued_until_the_job_ends(
    store: JobStore, queue: WorkerQueue, raw: redis.Redis, namespace: str, end: str
) -> None:
    limits = KeyLimits(queued_rows=100)
    first = (await store.jobs.submit(job("ana", 100, limits))).record.id
    with pytest.raises(KeyLimitReached, match="queued_rows: the key ana may have 100 rows") as refused:
        await store.jobs.submit(job("ana", 1, limits))
    assert 1 <= (refused.value.retry_after_s or 0) <= 60
    if end != "cancel waiting":
        claim = claim_one(queue)
        assert queue.claimed_jobs.release(claim)
        claim = claim_one(queue)
    with pytest.raises(KeyLimitReached):
        await store.jobs.submit(job("ana", 1, limits))
    if end == "finish":
        assert queue.claimed_jobs.finish(claim, b"{}", b"t")
    elif end == "fail":
        assert queue.claimed_jobs.fail(claim, FAILURE)
    for _ in range(2):
        await store.jobs.cancel(first)
    assert not raw.exists(f"{namespace}:queued_rows")
    await store.jobs.submit(job("ana", 100, limits))


async def test_a_job_beyond_a_limit_runs_when_nothing_else_counts(store: JobStore) -> None:
    for limits in (KeyLimits(rows_per_minute=10), KeyLimits(queued_rows=10)):
        owner = f"ana-{limits.queued_rows}"
        await store.jobs.submit(job(owner, 1_000, limits))
        with pytest.raises(KeyLimitReached):
            await store.jobs.submit(job(owner, 1, limits))


async def test_shared_jobs_count_and_hits_do_not(store: JobStore, queue: WorkerQueue) -> None:
    limits = KeyLimits(rows_per_minute=100, queued_rows=100)

    async def send() -> str:
        return (await store.jobs.submit(job("ana", 40, limits, content=Content("digest")))).outcome

    assert [await send(), await send()] == ["created", "shared"]
    with pytest.raises(KeyLimitReached):
        await send()  # cancelling leaders must not buy rows
    assert queue.claimed_jobs.finish(claim_one(queue), b"{}", b"t")
    assert [await send() for _ in range(5)] == ["hit"] * 5


async def test_rows_come_back_when_a_leader_is_cancelled(
    store: JobStore, queue: WorkerQueue, raw: redis.Redis, namespace: str
) -> None:
    sent = [await store.jobs.submit(job("ana", 40, content=Content("digest"))) for _ in range(3)]
    assert raw.hget(f"{namespace}:queued_rows", "ana") == "120"
    await store.jobs.cancel(sent[0].record.id)
    assert raw.hget(f"{namespace}:queued_rows", "ana") == "80"
    claim = claim_one(queue)
    assert claim.spec.owner == "ana"
    assert queue.claimed_jobs.finish(claim, b"{}", b"t")
    assert not raw.exists(f"{namespace}:queued_rows")
