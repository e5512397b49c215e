"""Listing costs submissions nothing: 60 listers of a model that does not exist made every submission 503."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import redis

from broker import JobStore, NewJob
from broker.tuning import MAX_SCANNED_JOBS
from tests.broker.conftest import MakeStore
from tests.broker.helpers import spec

pytestmark = pytest.mark.anyio
JOBS = 3_000
LISTERS = 60
TIMEOUT_S = 10.0  # a busy machine is no failure
FILTERS: dict[str, dict[str, Any]] = {
    "a model that does not exist": {"model": "nothing"},
    "a version that does not exist": {"model": "squarer", "version": "9"},
    "a status that no job has": {"status": "failed"},
    "both": {"model": "squarer", "status": "failed"},
    "another model's status": {"model": "other", "status": "queued"},
}


async def fill(store: JobStore) -> None:
    for start in range(0, JOBS, 50):
        await asyncio.gather(*(store.jobs.submit(NewJob(spec(), b"in", 1)) for _ in range(start, start + 50)))


def calls(raw: redis.Redis, command: str) -> int:
    stats: Any = raw.info("commandstats")
    return int(stats.get(f"cmdstat_{command}", {"calls": 0})["calls"])


async def test_a_page_reads_records_that_match_and_no_others(make_store: MakeStore, own_server: Any, raw: Any) -> None:
    store = make_store(queue_depth=JOBS)
    await fill(store)
    before = calls(raw, "hgetall")
    for filters in FILTERS.values():
        assert await store.jobs.page(limit=200, **filters) == ([], None)
    assert calls(raw, "hgetall") == before, "no record was read"
    await store.jobs.page(limit=50, status="queued", model="squarer")
    assert calls(raw, "hgetall") == before + 50
    for key in raw.scan_iter("*:job:*"):
        raw.delete(key)
    assert (await store.jobs.page(limit=200))[0] == []
    assert calls(raw, "hgetall") == before + 50 + MAX_SCANNED_JOBS, "expired ones count too"


async def busy_us(raw: redis.Redis, act: Callable[[], Any]) -> int:
    """Microseconds that the server spends in scripts while it does this."""
    raw.config_resetstat()
    await act()
    stats: Any = raw.info("commandstats")
    return sum(int(stat["usec"]) for name, stat in stats.items() if name in ("cmdstat_evalsha", "cmdstat_eval"))


async def test_sixty_listers_cost_submissions_nothing(make_store: MakeStore, own_server: Any, raw: Any) -> None:
    """Measured as time of the server, which is what listers took from submissions; the machine's load is no matter."""
    store = make_store(queue_depth=2 * JOBS, timeout_s=TIMEOUT_S)
    await fill(store)
    lister = make_store(timeout_s=TIMEOUT_S)

    async def submissions() -> None:
        for _ in range(200):
            await store.jobs.submit(NewJob(spec(), b"in", 1))

    async def listings() -> None:
        async def ask(filters: dict[str, Any]) -> None:
            for _ in range(10):
                await lister.jobs.page(limit=200, **filters)

        await asyncio.gather(*(ask(list(FILTERS.values())[i % len(FILTERS)]) for i in range(LISTERS)))

    submitted_us = await busy_us(raw, submissions) / 200
    listed_us = await busy_us(raw, listings) / (10 * LISTERS)
    assert listed_us < submitted_us, (listed_us, submitted_us)
    await asyncio.gather(submissions(), listings())  # none of them is refused
