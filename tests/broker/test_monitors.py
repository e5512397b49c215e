"""Monitors in the store: their number and size are bounded, each belongs to its owner, and nothing late is counted."""

from typing import Any

import numpy as np
import pytest
import redis

from broker import JobStore, MonitorGone, WatchedMonitor, WorkerQueue
from broker.gateway.monitors import monitor_id
from broker.tuning import MAX_KEY_MONITORS, MAX_MONITORS, MAX_PART_WORDS, MONITOR_TTL_S
from schemas.errors import MonitorNotFound, TooManyMonitors
from schemas.monitors import PARTS, MonitorDefinition
from tests.broker.conftest import MakeQueue

pytestmark = pytest.mark.anyio
WINDOW = 50  # parts of 5


def definition(owner: str = "", **fields: Any) -> MonitorDefinition:
    return MonitorDefinition(
        **{"owner": owner, "model": "m", "method": "saliency", "first": 50, "window": 50, **fields}
    )


async def watched(store: JobStore, queue: WorkerQueue, *, reference: bytes = b"{}", **fields: Any) -> WatchedMonitor:
    """A monitor whose reference is complete, as a worker knows it."""
    assert await store.monitors.put("one", definition(**fields))
    (bare,) = queue.monitors.read({}).values()
    queue.monitors.freeze(bare, reference, 50)
    (one,) = queue.monitors.read({}).values()
    assert one.reference == reference
    return one


def count(queue: WorkerQueue, one: WatchedMonitor, explanations: int, **more: Any) -> Any:
    given = {"counters": {0: explanations, 3: 2}, "words": {}, "skipped": 0, **more}
    return queue.monitors.count(one, explanations, **given)


async def test_a_monitor_is_its_owners(store: JobStore) -> None:
    for owner in ("ana", "ben"):
        assert await store.monitors.put("one", definition(owner))
    assert await store.monitors.put("two", definition("ana"))
    assert [record.name for record in await store.monitors.all("ana")] == ["one", "two"]
    assert [record.name for record in await store.monitors.all("ben")] == ["one"]
    assert await store.monitors.all("") == []
    assert (await store.monitors.get("one", "ben")).definition.owner == "ben"
    await store.monitors.delete("one", "ana")
    for owner in ("ana", ""):
        with pytest.raises(MonitorNotFound):
            await store.monitors.get("one", owner)
        with pytest.raises(MonitorNotFound):
            await store.monitors.delete("one", owner)
    assert await store.monitors.get("one", "ben")


@pytest.mark.parametrize("name", ["", "a/b", "ben/one", "*", "x" * 65, "a\n", "ñ", "-a"])
async def test_a_name_of_another_form_finds_nothing(store: JobStore, name: str) -> None:
    await store.monitors.put("one", definition("ben"))
    for owner in ("", "ana"):
        with pytest.raises(MonitorNotFound):
            await store.monitors.get(name, owner)
        with pytest.raises(MonitorNotFound):
            await store.monitors.delete(name, owner)


async def test_the_number_of_monitors_is_bounded_by_key_and_in_all(store: JobStore, raw: redis.Redis) -> None:
    for key in range(MAX_MONITORS // MAX_KEY_MONITORS):
        for number in range(MAX_KEY_MONITORS):
            assert await store.monitors.put(f"m{number}", definition(f"key{key}"))
        with pytest.raises(TooManyMonitors, match=str(MAX_KEY_MONITORS)):
            await store.monitors.put("more", definition(f"key{key}"))
    with pytest.raises(TooManyMonitors, match=str(MAX_MONITORS)):
        await store.monitors.put("more", definition("another"))
    assert await store.monitors.put("m0", definition("key0", window=100)), "it takes the place of the old one"
    await store.monitors.delete("m0", "key1")
    assert await store.monitors.put("more", definition("another"))


async def test_expired_monitors_leave_room(store: JobStore, raw: redis.Redis, namespace: str) -> None:
    for number in range(MAX_KEY_MONITORS):
        await store.monitors.put(f"m{number}", definition("ana"))
    generation = raw.hget(f"{namespace}:monitors", monitor_id("ana", "m3"))
    raw.delete(f"{namespace}:monitor:{generation}")
    assert await store.monitors.put("more", definition("ana"))
    assert raw.hlen(f"{namespace}:monitors") == MAX_KEY_MONITORS
    with pytest.raises(MonitorNotFound):
        await store.monitors.get("m3", "ana")


async def test_the_same_definition_stays_and_another_begins_anew(store: JobStore, queue: WorkerQueue) -> None:
    one = await watched(store, queue)
    assert count(queue, one, 5).full_parts == 1
    assert not await store.monitors.put("one", definition())
    assert (await store.monitors.get("one", "")).observed == 5
    assert await store.monitors.put("one", definition(window=100))
    record = await store.monitors.get("one", "")
    assert (record.observed, record.full_parts, record.reference_count) == (0, 0, None)
    calls: list[Any] = [lambda: count(queue, one, 1), lambda: queue.monitors.collect(one, [b"x"], 0)]
    for call in calls:  # a worker that does not know yet
        with pytest.raises(MonitorGone):
            call()
    queue.monitors.tell(one, 10, b'{"ndcg":0.1}', b"{}")
    queue.monitors.freeze(one, b"{}", 1)
    assert await store.monitors.get("one", "") == record


async def test_a_reference_takes_so_many_and_no_more(store: JobStore, make_queue: MakeQueue) -> None:
    await store.monitors.put("one", definition())
    first, second = make_queue("a"), make_queue("b")
    (one,) = first.monitors.read({}).values()
    assert first.monitors.collect(one, [b"a"] * 30, 2) == (30, False)
    assert (await store.monitors.get("one", "")).collected == 30
    assert second.monitors.collect(one, [b"b"] * 30, 0) == (20, True)
    assert second.monitors.collect(one, [b"c"], 0) == (0, True)
    assert first.monitors.collected(one) == [b"a"] * 30 + [b"b"] * 20
    first.monitors.freeze(one, b"first", 50)
    second.monitors.freeze(one, b"second", 50)
    assert second.monitors.collected(one) == []
    assert second.monitors.collect(one, [b"c"], 0) == (0, True)
    assert [known.reference for known in second.monitors.read({}).values()] == [b"first"]
    assert (await store.monitors.get("one", "")).skipped == 2


async def test_a_part_has_exactly_its_share_whoever_counts(store: JobStore, make_queue: MakeQueue) -> None:
    queues = make_queue("a"), make_queue("b")
    one = await watched(store, queues[0])
    assert tuple(count(queues[0], one, 3)) == (True, 0, 0)
    assert tuple(count(queues[1], one, 3)) == (False, 2, 0), "it has room for two, and nothing was counted"
    assert tuple(count(queues[1], one, 2)) == (True, 0, 1)
    assert tuple(count(queues[1], one, 0, counters={}, skipped=7)) == (True, 0, 1)
    for _ in range(PARTS - 1):
        count(queues[0], one, 5)
    parts = queues[1].monitors.parts(one, PARTS)
    assert parts is not None
    assert [np.frombuffer(part, ">i8").tolist() for part in parts.counters] == [[5, 0, 0, 4]] + [[5, 0, 0, 2]] * 9
    record = await store.monitors.get("one", "")
    assert (record.full_parts, record.part_held, record.observed, record.skipped) == (PARTS, 0, 50, 7)


async def test_what_is_kept_does_not_grow(
    store: JobStore, queue: WorkerQueue, raw: redis.Redis, namespace: str
) -> None:
    one = await watched(store, queue)
    kept = set()
    for number in range(4 * PARTS):
        count(queue, one, 5, words={f"word{number}.{index}": 1.0 for index in range(2 * MAX_PART_WORDS)})
        kept.add(len(raw.keys(f"{namespace}:*")))
    assert max(kept) == 2 * PARTS + 2
    assert queue.monitors.parts(one, PARTS) is None, "that window is gone"
    latest = queue.monitors.parts(one, 4 * PARTS)
    assert latest is not None
    assert {len(words) for words in latest.words} == {MAX_PART_WORDS}
    for key in raw.keys(f"{namespace}:monitor*"):
        if key != f"{namespace}:monitors":
            assert 0 < raw.ttl(key) <= MONITOR_TTL_S, key
    await store.monitors.delete("one", "")
    assert raw.keys(f"{namespace}:*") == []


async def test_a_heavy_word_finds_its_place_and_its_weight_is_an_upper_bound(
    store: JobStore, queue: WorkerQueue
) -> None:
    one = await watched(store, queue, window=500)
    true: dict[str, float] = {}
    for number in range(20):
        words = {f"rare{number}.{index}": 1.0 for index in range(20)} | {"heavy": 5.0}
        for word, weight in words.items():
            true[word] = true.get(word, 0) + weight
        count(queue, one, 2, words=words)
    count(queue, one, 10)
    for _ in range(PARTS - 1):
        count(queue, one, 50)
    parts = queue.monitors.parts(one, PARTS)
    assert parts is not None
    found = parts.words[0]
    assert len(found) == MAX_PART_WORDS
    assert max(found, key=lambda word: found[word]) == "heavy"
    assert all(weight >= true[word] for word, weight in found.items())
    assert sum(found.values()) == pytest.approx(sum(true.values())), "the algorithm loses no weight"


async def test_many_counters_are_one_call_and_sums_do_not_wrap(store: JobStore, queue: WorkerQueue) -> None:
    one = await watched(store, queue)
    counters = dict.fromkeys(range(4_000), 2**62)
    for _ in range(5):
        count(queue, one, 1, counters=counters)
    for _ in range(PARTS - 1):
        count(queue, one, 5)
    parts = queue.monitors.parts(one, PARTS)
    assert parts is not None
    assert set(np.frombuffer(parts.counters[0], ">i8")) == {2**63 - 1}


async def test_the_statistics_of_a_later_window_stay(store: JobStore, queue: WorkerQueue) -> None:
    one = await watched(store, queue)
    queue.monitors.tell(one, 12, b'{"ndcg":0.8,"psi_score":null,"other":3,"psi_max":"x"}', b"{}")
    queue.monitors.tell(one, 11, b'{"ndcg":0.9}', b"{}")
    assert await store.monitors.figures() == {"one": {"ndcg": 0.8}}
    assert queue.monitors.progress([one])[0].told_parts == 12


async def test_figures_name_the_key(store: JobStore, queue: WorkerQueue) -> None:
    one = await watched(store, queue, owner="ana")
    queue.monitors.tell(one, 10, b'{"ndcg":0.5}', b"{}")
    assert await store.monitors.figures() == {"ana/one": {"ndcg": 0.5}}
    assert dict((await store.reports.read()).drift) == {"ana/one": {"ndcg": 0.5}}


async def test_one_worker_reads_the_jobs_of_a_reference(store: JobStore, make_queue: MakeQueue) -> None:
    await store.monitors.put("one", definition(first=None, jobs=["a"]))
    first, second = make_queue("a"), make_queue("b")
    (one,) = first.monitors.read({}).values()
    assert first.monitors.lock_reference(one)
    assert not second.monitors.lock_reference(one)
