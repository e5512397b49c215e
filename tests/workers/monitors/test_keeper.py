"""The worker's part: what it watches, what it tells the store, and what it survives."""

from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from broker import JobStore, NewJob, WorkerQueue
from schemas.errors import StoreUnavailable
from schemas.jobs import JobSpec
from schemas.model_key import ModelKey
from tests.servers import StoreServer
from tests.workers.monitors.streams import SPEC, Feeder, made, meta, seen, stream, text_meta
from workers.monitors.tuning import MAX_PENDING
from workers.monitors.watching import Watching

pytestmark = pytest.mark.anyio
TEXT = SPEC.model_copy(update={"input_kind": "text"})


def spec(**fields: Any) -> JobSpec:
    return SPEC.model_copy(update=fields)


@pytest.mark.parametrize(
    ("fields", "other", "is_watched"),
    [
        ({}, {}, True),
        ({}, {"version": "2"}, True),
        ({"version": "1"}, {}, True),
        ({"version": "1"}, {"version": "2"}, False),
        ({}, {"model": "other"}, False),
        ({}, {"method": {"name": "saliency"}}, False),
        ({}, {"method": {"name": "input_x_gradient", "later": 1}}, True),
        ({"parameters": SPEC.method}, {}, True),
        ({"parameters": SPEC.method}, {"method": {"name": "input_x_gradient", "later": 1}}, False),
        ({"owner": "ana", "watches_all": False}, {"owner": "ana"}, True),
        ({"owner": "ana", "watches_all": False}, {"owner": "ben"}, False),
        ({"owner": "ops", "watches_all": True}, {"owner": "ben"}, True),
    ],
)
async def test_which_jobs_are_watched(
    store: JobStore, feeder: Feeder, fields: dict[str, Any], other: dict[str, Any], is_watched: bool
) -> None:
    await made(store, **fields)
    feeder.learn()
    feeder.rows(stream(0, 3), spec(**other))
    feeder.tell()
    assert (await seen(store, owner=str(fields.get("owner", "")))).collected == (3 if is_watched else 0)


async def test_several_workers_make_one_window(store: JobStore, queue: WorkerQueue) -> None:
    """The counters of the same rows are the same, however they are shared out."""
    feeders = [Feeder(queue) for _ in range(3)]
    for name in ("shared", "alone"):
        await made(store, name, model=name, first=60, window=100)
    for one in feeders:
        one.learn()
    rows = stream(0, 200)
    for start in range(0, 200, 20):
        feeders[0].rows(rows[start : start + 20], spec(model="alone"))
        for number, one in enumerate(feeders):
            one.rows(rows[start : start + 20][number::3], spec(model="shared"))
        for one in feeders:
            one.tell()
    alone, shared = await seen(store, "alone"), await seen(store, "shared")
    for record in (alone, shared):
        assert (record.reference_count, record.observed, record.full_parts, record.part_held) == (60, 140, 14, 0)
    assert alone.statistics is not None
    assert shared.statistics is not None
    assert shared.statistics.ndcg == alone.statistics.ndcg
    assert [one.psi for one in shared.statistics.features] == [one.psi for one in alone.statistics.features]
    means = [one.window_mean for one in shared.statistics.features]
    np.testing.assert_allclose(means, np.abs(rows[100:]).mean(axis=0), rtol=1e-4)


async def test_no_explanation_is_lost_or_counted_twice_while_the_store_is_away(namespace: str) -> None:
    with StoreServer() as server:
        store, queue = JobStore(server.url, namespace=namespace), WorkerQueue(server.url, "w", namespace=namespace)
        feeder = Feeder(queue)
        await made(store, first=50, window=50)
        feeder.learn()
        feeder.rows(stream(0, 70))
        feeder.tell()
        server.pause()
        queue.monitors._connection.client.connection_pool.connection_kwargs["socket_timeout"] = 0.2
        queue.monitors._connection.client.connection_pool.disconnect()
        feeder.rows(stream(1, 10))
        with pytest.raises(StoreUnavailable):
            feeder.tell()
        server.resume()
        feeder.rows(stream(2, 5))
        feeder.tell()
        record = await seen(store)
        assert (record.reference_count, record.observed, record.skipped) == (50, 35, 0)
        queue.close()
        await store.close()


async def test_other_features_are_skipped_and_those_after_the_bound_too(store: JobStore, feeder: Feeder) -> None:
    await made(store, first=50, window=50)
    feeder.learn()
    feeder.rows(stream(0, 50))
    feeder.tell()
    feeder.watching.observe(TEXT, text_meta({"good": 1.0}), b"", ())
    feeder.watching.observe(SPEC, meta(np.ones(5)), b"", ())  # three columns fewer
    feeder.watching.observe(SPEC, meta(features=None), b"no safetensors", ())
    feeder.rows(stream(1, 1))
    feeder.tell()
    assert (await seen(store)).skipped == 3
    assert (await seen(store)).observed == 1
    feeder.rows(np.repeat(stream(2, 1), MAX_PENDING + 4, axis=0))
    feeder.tell()
    assert (await seen(store)).skipped == 3 + 4
    assert (await seen(store)).observed == 1 + MAX_PENDING


async def test_nothing_is_reduced_where_nothing_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("reduced")

    monkeypatch.setattr("workers.monitors.watching.explanations", never)
    Watching().observe(SPEC, meta(np.ones(8)), b"", ())


async def test_a_monitor_made_anew_begins_with_what_comes_then(store: JobStore, feeder: Feeder) -> None:
    await made(store, first=50, window=50)
    feeder.learn()
    feeder.rows(stream(0, 60))
    await made(store, first=50, window=100)
    feeder.tell()
    assert (await seen(store)).collected == 0
    feeder.rows(stream(1, 4))
    feeder.tell()
    assert (await seen(store)).collected == 4
    await store.monitors.delete("m", "")
    feeder.rows(stream(1, 4))
    feeder.tell()
    assert feeder.watching.take() == {}


# --- a reference of jobs ----------------------------------------------------------------------------------------------


async def finished_job(store: JobStore, queue: WorkerQueue, row: Any) -> str:
    """The id of a job with this result."""
    submitted = await store.jobs.submit(NewJob(SPEC, b"", rows=1))
    (claim,) = queue.claims.take({ModelKey("linear", "1"): 1}, 0)
    assert queue.claimed_jobs.finish(claim, meta(row).model_dump_json().encode(), save({}))
    return submitted.record.id


async def test_a_reference_of_jobs(store: JobStore, queue: WorkerQueue, feeder: Feeder) -> None:
    ids = [await finished_job(store, queue, row) for row in stream(0, 20)]
    await made(store, first=None, jobs=[*ids, "expired"], window=50)
    feeder.learn()
    record = await seen(store)
    assert (record.reference_count, record.skipped, record.problem) == (20, 1, None)
    feeder.rows(stream(1, 50))
    feeder.tell()
    statistics = (await seen(store)).statistics
    assert statistics is not None
    np.testing.assert_allclose(
        [one.reference_mean for one in statistics.features], np.abs(stream(0, 20)).mean(axis=0), rtol=1e-6
    )
    np.testing.assert_allclose(
        [one.window_mean for one in statistics.features], np.abs(stream(1, 50)).mean(axis=0), rtol=1e-4
    )
    (only,) = statistics.classes
    assert (only.label, only.reference_count) == ("no", 20)
    assert only.window_count == (stream(1, 50).sum(axis=1) <= 0).sum()


async def test_a_reference_whose_jobs_are_gone_says_so(store: JobStore, feeder: Feeder) -> None:
    await made(store, first=None, jobs=["a", "b"])
    feeder.learn()
    feeder.rows(stream(0, 3))
    feeder.tell()
    record = await seen(store)
    assert record.problem == "no explanation of the reference could be used"
    assert (record.reference_count, record.skipped) == (None, 2)
