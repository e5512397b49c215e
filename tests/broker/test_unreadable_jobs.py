"""A damaged job fails alone: claims, listings, leases and followers of other jobs go on."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker import Content, JobStore, NewJob, WorkerQueue
from broker.job_hash import job_from_reply
from schemas.errors import JobNotFound, ServiceError
from tests.broker.damage import GARBAGE, changed, damage_field, emptied, garbage, truncated, without
from tests.broker.helpers import QUEUE, claim_one, spec, submit, submit_job
from tests.servers import StoreServer

pytestmark = pytest.mark.anyio
Damage = Callable[[bytes], bytes] | None
SPEC: list[tuple[str, Damage]] = [
    ("spec", how)
    for how in (
        truncated,
        garbage,
        emptied,
        None,
        without("model"),
        changed(input_kind="smell"),
        changed(priority="royal"),
        changed(examples="many"),
        changed(examples=None),
        changed(method=[]),
        changed(method={}),
        changed(method={"name": "of_a_later_version"}),
        changed(method={"name": "saliency", "abs": "perhaps"}),
        changed(quality=[{"name": "of_a_later_version"}]),
        lambda text: b"[" * 5000,
    )
]
FIELDS: list[tuple[str, Damage]] = [
    *((name, how) for name in ("status", "entry") for how in (garbage, emptied, None)),
    *((name, garbage) for name in ("attempts", "starts")),
    ("attempts", None),
    ("status", lambda _: b"of_a_later_version"),
]


@pytest.fixture
def binary(server: StoreServer) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(server.url) as client:
        yield client


async def statuses(store: JobStore) -> dict[str, str]:
    return {job.id: job.status for job in (await store.jobs.page())[0]}


@pytest.mark.parametrize(("field", "how"), SPEC + FIELDS)
async def test_a_damaged_job_fails_alone(
    store: JobStore, queue: WorkerQueue, binary: redis.Redis, namespace: str, field: str, how: Damage
) -> None:
    bad, good = await submit(store), await submit(store)
    damage_field(binary, f"{namespace}:job:{bad}", field, how)
    assert good in await statuses(store)
    assert (await store.jobs.backlog())[QUEUE] == 2
    async with store.jobs.watch(bad) as records, store.jobs.watch(good) as others:
        await anext(records)
        await anext(others)
        (claim,) = queue.claims.take({QUEUE: 4}, 0)
        assert claim.job_id == good
        assert (await anext(others)).status == "running"
    job = await store.jobs.get(bad)
    assert (job.status, job.error and job.error.code) == ("failed", "unreadable")
    assert binary.pttl(f"{namespace}:job:{bad}") > 0
    assert queue.claimed_jobs.finish(claim, b"{}", b"t")
    assert await statuses(store) == {bad: "failed", good: "succeeded"}
    assert (await store.jobs.backlog())[QUEUE] == 0


@pytest.mark.parametrize("field", ["done", "total", "created_ms", "revision", "queue"])
@pytest.mark.parametrize("how", [garbage, emptied, None, lambda _: b"9" * 400])
async def test_a_damaged_number_hides_nothing(
    store: JobStore, queue: WorkerQueue, binary: redis.Redis, namespace: str, field: str, how: Damage
) -> None:
    """What is not needed to run the job does not fail it."""
    bad, good = await submit(store), await submit(store)
    damage_field(binary, f"{namespace}:job:{bad}", field, how)
    assert set(await statuses(store)) == {bad, good}
    claims = queue.claims.take({QUEUE: 4}, 0)
    assert [claim.job_id for claim in claims] == [bad, good]
    assert queue.claimed_jobs.renew(claims) == set()
    for claim in claims:
        assert queue.claimed_jobs.progress(claim, 3, 50)
        assert queue.claimed_jobs.finish(claim, b"{}", b"t")
    assert await statuses(store) == {bad: "succeeded", good: "succeeded"}


async def test_a_key_that_holds_no_job(
    store: JobStore, queue: WorkerQueue, binary: redis.Redis, namespace: str
) -> None:
    bad, good = await submit(store), await submit(store)
    binary.set(f"{namespace}:job:{bad}", GARBAGE)
    assert await statuses(store) == {good: "queued"}
    for call in (store.jobs.get, store.jobs.cancel, store.results.get):
        with pytest.raises(JobNotFound):
            await call(bad)
    assert claim_one(queue).job_id == good
    assert await statuses(store) == {bad: "failed", good: "running"}


async def test_a_running_job_that_is_damaged_keeps_no_other_lease_from_being_renewed(
    store: JobStore, queue: WorkerQueue, binary: redis.Redis, namespace: str
) -> None:
    bad, lost, good = [await submit(store) for _ in range(3)]
    claims = queue.claims.take({QUEUE: 3}, 0)
    binary.set(f"{namespace}:job:{bad}", GARBAGE)
    binary.hdel(f"{namespace}:job:{lost}", "stream")
    assert queue.claimed_jobs.renew(claims) == {bad, lost}
    assert not queue.claimed_jobs.progress(claims[0], 1, 2)
    assert not queue.claimed_jobs.finish(claims[0], b"{}", b"t")
    assert queue.claimed_jobs.finish(claims[2], b"{}", b"t")
    assert (await store.jobs.get(good)).status == "succeeded"


async def test_those_who_wait_for_a_damaged_jobs_result_are_computed_without_it(
    store: JobStore, queue: WorkerQueue, binary: redis.Redis, namespace: str
) -> None:
    new = NewJob(spec(), b"in", rows=50, content=Content("digest"))
    leader, _ = await submit_job(store, new)
    follower, outcome = await submit_job(store, new)
    assert outcome == "shared"
    damage_field(binary, f"{namespace}:job:{leader}", "spec", truncated)
    assert queue.claims.take({QUEUE: 1}, 0) == []
    assert await statuses(store) == {leader: "failed", follower: "queued"}
    assert claim_one(queue).job_id == follower


@pytest.mark.parametrize("field", ["status", "total", "waits_in"])
async def test_a_damaged_follower_does_not_keep_its_leader_from_ending(
    store: JobStore, queue: WorkerQueue, binary: redis.Redis, namespace: str, field: str
) -> None:
    new = NewJob(spec(), b"in", rows=50, content=Content("digest"))
    leader, _ = await submit_job(store, new)
    follower, _ = await submit_job(store, new)
    damage_field(binary, f"{namespace}:job:{follower}", field, None)
    assert queue.claimed_jobs.finish(claim_one(queue), b"{}", b"t")
    assert await statuses(store) == {leader: "succeeded", follower: "succeeded"}


async def test_a_leader_that_is_damaged_is_no_obstacle_to_an_equal_job(
    store: JobStore, queue: WorkerQueue, binary: redis.Redis, namespace: str
) -> None:
    new = NewJob(spec(), b"in", rows=50, content=Content("digest"))
    leader, _ = await submit_job(store, new)
    binary.set(f"{namespace}:job:{leader}", GARBAGE)
    equal, outcome = await submit_job(store, new)
    assert outcome == "created"
    assert claim_one(queue).job_id == equal


async def test_damaged_messages_end_no_watch(
    store: JobStore, queue: WorkerQueue, binary: redis.Redis, namespace: str
) -> None:
    job_id = await submit(store)
    async with store.jobs.watch(job_id) as records:
        assert (await anext(records)).status == "queued"
        for message in (GARBAGE, b"[1, 2]", b'["status"]', b"{}", b"null"):
            binary.publish(f"{namespace}:events:{job_id}", message)
        assert queue.claimed_jobs.finish(claim_one(queue), b"{}", b"t")
        assert [record.status async for record in records][-1] == "succeeded"


texts = st.one_of(
    st.binary(max_size=40), st.sampled_from([b"queued", b"succeeded", b"{}", b"[]", b"null", b"1", b"1e400"])
)
names = st.sampled_from(
    [b"spec", b"status", b"done", b"total", b"created_ms", b"started_ms", b"finished_ms", b"target"]
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.one_of(names, st.sampled_from([b"error", b"attempts", b"revision", b"queue"])), texts))
def test_any_hash_is_some_job(fields: dict[bytes, bytes]) -> None:
    """Property: reading never raises, and what cannot be read as a job has failed or says why."""
    reply: list[Any] = [part for pair in fields.items() for part in pair]
    record = job_from_reply("id", reply).record
    assert record.error is not None
    assert record.model_dump_json()


async def test_errors_of_damage_are_the_services_own(store: JobStore) -> None:
    with pytest.raises(ServiceError):
        await store.jobs.get("nosuchjob")
