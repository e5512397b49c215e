"""What the job store reports to operators, and what workers add to it."""

import pytest
import redis

from broker import JobStore, NewJob, WorkerQueue
from broker.gateway.reports import QueueLoad
from schemas.errors import StoreFull
from schemas.jobs import JobFailure
from schemas.telemetry.names import JOBS_ENDED, JOBS_REPEATED, STAGE_SECONDS
from tests.broker.helpers import MODEL, QUEUE, spec

pytestmark = pytest.mark.anyio
FAILURE = JobFailure(code="job_failed", title="t", detail="d")


async def test_an_empty_queue_reports_zeros_and_a_full_one_its_rows_without_any_worker(store: JobStore) -> None:
    await store.jobs.submit(NewJob(spec(), b"x", rows=1000))
    batch = await store.jobs.submit(NewJob(spec("batch"), b"x", rows=500))
    queue = (await store.reports.read()).queues[QUEUE]
    assert queue == QueueLoad(jobs=2, rows=1500, seconds=3.0)  # 500 rows/s while no pace is known
    await store.jobs.cancel(batch.record.id)
    assert (await store.reports.read()).queues[QUEUE] == QueueLoad(1, 1000, 2.0)
    for job in (await store.jobs.page())[0]:
        await store.jobs.cancel(job.id)
    assert (await store.reports.read()).queues[QUEUE] == QueueLoad(0, 0, 0.0)


async def test_ends_are_counted_by_status_priority_and_code(store: JobStore, queue: WorkerQueue) -> None:
    for priority in ("interactive", "batch", "batch"):
        await store.jobs.submit(NewJob(spec(priority), b"x", rows=1))  # type: ignore[arg-type]
    first, second, third = queue.claims.take({QUEUE: 3}, 0)
    assert queue.claimed_jobs.finish(first, b"{}", b"t")
    assert queue.claimed_jobs.fail(second, FAILURE)
    await store.jobs.cancel(third.job_id)
    counted = (await store.reports.read()).measured[QUEUE]
    assert {name: value for name, value in counted.items() if name.startswith(JOBS_ENDED.name)} == {
        JOBS_ENDED.series("interactive", "succeeded", "-"): "1",
        JOBS_ENDED.series("batch", "failed", "job_failed"): "1",
        JOBS_ENDED.series("batch", "cancelled", "-"): "1",
    }


async def test_repeated_jobs_are_counted_by_their_reason(
    store: JobStore, queue: WorkerQueue, raw: redis.Redis, namespace: str
) -> None:
    await store.jobs.submit(NewJob(spec(), b"x", rows=1))
    for repeat in (queue.claimed_jobs.release, lambda claim: queue.claimed_jobs.give_up(claim, FAILURE)):
        (claim,) = queue.claims.take({QUEUE: 1}, 0)
        assert repeat(claim)
    (claim,) = queue.claims.take({QUEUE: 1}, 0)
    raw.zadd(f"{namespace}:workers", {claim.token.rpartition(":")[0]: 1})  # its worker is dead
    assert queue.registration.inherit(claim.token.rpartition(":")[0]) == 1
    (again,) = queue.claims.take({QUEUE: 1}, 0)
    assert again.attempt == 3
    counted = (await store.reports.read()).measured[QUEUE]
    assert {name: value for name, value in counted.items() if name.startswith(JOBS_REPEATED.name)} == {
        JOBS_REPEATED.series(reason): "1" for reason in ("released", "stalled", "lost")
    }


async def test_measurements_of_several_workers_add_up(store: JobStore, queue: WorkerQueue) -> None:
    await store.jobs.submit(NewJob(spec(), b"x", rows=1))
    series = STAGE_SECONDS.series("saliency", "interactive", "total")
    for amount, trace in ((1, "a"), (2.5, "b")):
        queue.measurements.add(QUEUE, {f"{series} 0.5": amount}, {f"{series} 0.5 exemplar": trace})
    counted = (await store.reports.read()).measured[QUEUE]
    assert (counted[f"{series} 0.5"], counted[f"{series} 0.5 exemplar"]) == ("3.5", "b")


async def test_counters_that_nobody_adds_to_expire(
    store: JobStore, queue: WorkerQueue, raw: redis.Redis, namespace: str
) -> None:
    queue.measurements.add(QUEUE, {"series 1": 1}, {})
    assert 0 < raw.ttl(f"{namespace}:measured:{MODEL}@1") <= 24 * 3600
    await store.jobs.submit(NewJob(spec(), b"x", rows=1))
    (claim,) = queue.claims.take({QUEUE: 1}, 0)
    raw.delete(f"{namespace}:measured:{MODEL}@1")
    queue.claimed_jobs.fail(claim, FAILURE)
    assert 0 < raw.ttl(f"{namespace}:measured:{MODEL}@1") <= 24 * 3600


@pytest.mark.usefixtures("own_server")
async def test_a_store_without_memory_takes_no_measurement_and_all_later(store: JobStore, queue: WorkerQueue) -> None:
    await store.jobs.submit(NewJob(spec(), b"x", rows=1))
    client = queue.measurements._connection.client
    before = client.config_get("maxmemory")["maxmemory"]
    client.config_set("maxmemory", 1)
    try:
        with pytest.raises(StoreFull):
            queue.measurements.add(QUEUE, {"series 1": 1, "series 2": 1}, {})
    finally:
        client.config_set("maxmemory", before)
    queue.measurements.add(QUEUE, {"series 1": 1, "series 2": 1}, {})
    counted = (await store.reports.read()).measured[QUEUE]
    assert (counted["series 1"], counted["series 2"]) == ("1", "1")


async def test_the_store_reports_its_fill_and_its_budget(store: JobStore) -> None:
    before = await store.reports.read()
    await store.jobs.submit(NewJob(spec(), b"x" * 1000, rows=1, result_bytes=5000))
    after = await store.reports.read()
    assert after.used_bytes - before.used_bytes == 4096 + 1000 + 5000
    assert after.budget_bytes is None or after.budget_bytes > after.used_bytes
