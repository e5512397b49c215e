"""Pages of jobs: complete, ordered, filtered, steady."""

import pytest
import redis

from broker import JobRecord, JobStore, NewJob, WorkerQueue
from schemas.errors import InvalidRequest
from tests.broker.helpers import claim_one, spec, submit, submit_job

pytestmark = pytest.mark.anyio


async def all_pages(store: JobStore, limit: int, **filters: str) -> list[list[JobRecord]]:
    pages, cursor = [], None
    while True:
        jobs, cursor = await store.jobs.page(cursor=cursor, limit=limit, **filters)  # type: ignore[arg-type]
        pages.append(jobs)
        if cursor is None:
            return pages


async def test_pages_are_complete_and_newest_first(store: JobStore) -> None:
    jobs = [await submit(store) for _ in range(23)]
    pages = await all_pages(store, limit=5)
    assert [len(page) for page in pages] == [5, 5, 5, 5, 3]
    assert [job.id for page in pages for job in page] == jobs[::-1]
    assert [len(page) for page in await all_pages(store, limit=23)] == [23]


async def test_pages_stay_steady_while_jobs_come_and_go(store: JobStore, raw: redis.Redis, namespace: str) -> None:
    jobs = [await submit(store) for _ in range(9)]
    first, cursor = await store.jobs.page(limit=3)
    await submit(store)
    raw.delete(f"{namespace}:job:{first[-1].id}", f"{namespace}:job:{jobs[4]}")
    second, cursor = await store.jobs.page(limit=3, cursor=cursor)
    await submit(store)
    third, end = await store.jobs.page(limit=3, cursor=cursor)
    assert [job.id for job in [*first, *second, *third]] == [job for job in jobs[::-1] if job != jobs[4]]
    assert end is None
    assert raw.zscore(f"{namespace}:index", jobs[4]) is None


async def test_filters(store: JobStore, queue: WorkerQueue) -> None:
    one = [await submit(store) for _ in range(4)]
    two = [await submit(store, model="squarer-2") for _ in range(3)]
    newer = (await submit_job(store, NewJob(spec(version="2"), b"in", rows=1)))[0]
    queue.claimed_jobs.finish(claim_one(queue), b"{}", b"t")
    await store.jobs.cancel(two[1])

    async def ids(limit: int = 2, **filters: str) -> list[str]:
        return [job.id for page in await all_pages(store, limit, **filters) for job in page]

    assert await ids(model="squarer") == [newer, *one[::-1]]
    assert await ids(model="squarer", version="1") == one[::-1]
    assert await ids(model="squarer", status="queued") == [newer, *one[:0:-1]]
    assert await ids(status="succeeded") == [one[0]]
    assert await ids(status="cancelled", model="squarer-2") == [two[1]]
    assert await ids(model="squ") == []
    assert await ids(status="failed") == []


async def test_an_empty_store_has_one_empty_page(store: JobStore) -> None:
    assert await store.jobs.page() == ([], None)


@pytest.mark.parametrize("cursor", ["", "x", "-1", "1e3", "9" * 17, "1 2", "inf", "\u0661"])
async def test_a_cursor_that_is_none_is_refused(store: JobStore, cursor: str) -> None:
    with pytest.raises(InvalidRequest):
        await store.jobs.page(cursor=cursor)
