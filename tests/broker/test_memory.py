"""Nothing is left behind; and a store out of memory refuses what is new, and ends what is there."""

import pytest
import redis

from broker import Idempotency, JobStore, NewJob, WorkerInfo, WorkerQueue
from schemas.errors import StoreFull, StoreUnavailable
from schemas.model_key import ModelKey
from schemas.models import ModelCard
from tests.broker.conftest import MakeQueue, MakeStore
from tests.broker.helpers import QUEUE, WAIT_MS, claim_one, spec, submit
from tests.broker.test_round_trip import FAILURE
from tests.servers import StoreServer

pytestmark = pytest.mark.anyio
LARGE = bytes(range(256)) * 1024  # more than goes through a script
LASTING = {
    "index",
    "listed",
    "expiry",
    "held",
    "load",
    "stored",
    "queues",
    "queue",
}  # the second part of keys without TTL


async def test_ended_jobs_leave_empty_streams_and_keys_that_expire(
    store: JobStore, make_queue: MakeQueue, raw: redis.Redis, namespace: str
) -> None:
    queue = make_queue(result_ttl_s=100)
    for priority in ("interactive", "batch"):
        for _ in range(3):
            await store.jobs.submit(NewJob(spec(priority), b"in", rows=1, idempotency=Idempotency("key", "print")))
            await submit(store, priority)
    finished, failed, released, *others = queue.claims.take({QUEUE: 6}, 0)
    queue.claimed_jobs.finish(finished, b"{}", b"t")
    queue.claimed_jobs.fail(failed, FAILURE)
    queue.claimed_jobs.release(released)
    for claim in [released, *others]:
        await store.jobs.cancel(claim.job_id)
    for job in (await store.jobs.page())[0]:
        await store.jobs.cancel(job.id)

    for stream in raw.scan_iter(f"{namespace}:queue:*"):
        assert raw.xlen(stream) == 0
        assert raw.xpending(stream, "workers")["pending"] == 0
        assert len(raw.xinfo_consumers(stream, "workers")) <= 1
    for key in raw.scan_iter(f"{namespace}:*"):
        assert (raw.ttl(key) > 0) != (key.split(":")[1] in LASTING), key
    assert 0 < raw.ttl(f"{namespace}:result:{finished.job_id}") <= 100
    assert 0 < raw.ttl(f"{namespace}:tensors:{finished.job_id}") <= 100


async def test_the_index_forgets_expired_jobs(
    store: JobStore, queue: WorkerQueue, raw: redis.Redis, namespace: str
) -> None:
    jobs = [await submit(store) for _ in range(40)]
    for claim in queue.claims.take({QUEUE: 40}, 0):
        queue.claimed_jobs.finish(claim, b"{}", b"t")
    for job_id in jobs:  # as if their TTL had passed
        raw.delete(f"{namespace}:job:{job_id}")
        raw.zadd(f"{namespace}:expiry", {job_id: 1})
    kept = [await submit(store), await submit(store)]
    assert raw.zcard(f"{namespace}:index") == 2
    assert raw.zcard(f"{namespace}:expiry") == 0
    assert [job.id for job in (await store.jobs.page())[0]] == kept[::-1]


async def test_out_of_memory(
    make_store: MakeStore, make_queue: MakeQueue, own_server: StoreServer, raw: redis.Redis, namespace: str
) -> None:
    store, queue = make_store(), make_queue()
    info = WorkerInfo(id="worker-1", device="cpu", host="here", pid=1, started_ms=0, models=[QUEUE])
    jobs = [await submit(store) for _ in range(6)]
    claims = queue.claims.take({QUEUE: 3}, 0)
    raw.config_set("maxmemory-policy", "noeviction")
    raw.config_set("maxmemory", "1")

    with pytest.raises(StoreFull):
        await store.jobs.submit(NewJob(spec(), b"in", rows=1))
    with pytest.raises(StoreFull):
        queue.claimed_jobs.finish(claims[0], b"{}", b"t")
    with pytest.raises(StoreFull):
        queue.claimed_jobs.finish(claims[0], b"{}", LARGE)
    assert (await store.jobs.get(jobs[0])).status == "running"
    assert raw.keys(f"{namespace}:handed:*") == []
    # What frees memory, and what keeps workers known, goes on.
    queue.registration.announce(info, [ModelCard(name="squarer", version="1", status="ready")])
    assert await store.workers.live() == [info]
    assert len(await store.models.cards()) == 1
    assert queue.claimed_jobs.progress(claims[0], 1, 2)
    assert queue.claimed_jobs.renew(claims) == set()
    assert queue.claimed_jobs.fail(claims[0], FAILURE)
    assert queue.claimed_jobs.release(claims[1])
    assert (await store.jobs.cancel(claims[2].job_id)).status == "cancelled"
    assert claim_one(queue).job_id == claims[1].job_id
    assert queue.claims.take({ModelKey("another", "1"): 1}, 0) == []
    assert len((await store.jobs.page())[0]) == 6

    raw.config_set("maxmemory", "0")
    await submit(store)
    claim = claim_one(queue)
    assert queue.claimed_jobs.finish(claim, b"{}", LARGE)
    assert await store.results.get(claim.job_id) == (b"{}", LARGE)


async def test_large_tensors_of_a_worker_that_lost_its_job_are_dropped(
    make_store: MakeStore, make_queue: MakeQueue, raw: redis.Redis, namespace: str
) -> None:
    store, lost, heir = make_store(), make_queue("lost", lease_ms=50), make_queue("heir", lease_ms=50)
    await submit(store)
    stale = claim_one(lost)
    fresh = claim_one(heir, WAIT_MS)

    assert not lost.claimed_jobs.finish(stale, b"{}", LARGE[::-1])
    assert raw.keys(f"{namespace}:handed:*") == []
    assert heir.claimed_jobs.finish(fresh, b"{}", LARGE)
    assert heir.claimed_jobs.finish(fresh, b"{}", LARGE), "asked again: the answer to the first may be lost"
    assert raw.keys(f"{namespace}:handed:*") == []
    assert await store.results.get(fresh.job_id) == (b"{}", LARGE)
    assert 0 < raw.ttl(f"{namespace}:tensors:{fresh.job_id}") <= 3600


async def test_a_read_only_replica_is_unavailable(
    make_store: MakeStore, own_server: StoreServer, raw: redis.Redis
) -> None:
    store = make_store()
    raw.config_set("replica-read-only", "yes")
    raw.replicaof("127.0.0.1", own_server.port + 1)
    with pytest.raises(StoreUnavailable):
        await store.jobs.submit(NewJob(spec(), b"in", rows=1))
