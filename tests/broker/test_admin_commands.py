"""Models taken out of service and back: what the gateway orders, and what workers hear, whenever they come."""

import pytest
import redis

from broker import JobStore, Orders
from broker.records import LoadOrder
from schemas.errors import ModelUnloaded
from schemas.model_key import ModelKey
from tests.broker.conftest import MakeQueue
from tests.broker.helpers import MODEL, QUEUE, WAIT_MS, claim_one, spec, submit
from tests.broker.test_registry import card, worker

pytestmark = pytest.mark.anyio
OTHER = ModelKey("squarer", "2")


async def test_orders_are_heard_in_order_and_once(store: JobStore, make_queue: MakeQueue) -> None:
    queue = make_queue()
    assert queue.orders(None) == Orders("0-0", {}, frozenset())
    first = await store.load(MODEL, "2")
    second = await store.unload(MODEL, ["1", "10"])
    third = await store.load("doubler")
    heard = queue.orders("0-0", WAIT_MS)
    assert heard == Orders(
        third,
        {first: LoadOrder(MODEL, "2"), third: LoadOrder("doubler", None)},
        frozenset({QUEUE, ModelKey("squarer", "10")}),
    )
    assert queue.orders(second).loads == {third: LoadOrder("doubler", None)}
    assert queue.orders(third, 1) == Orders(third, {}, heard.unloaded)
    assert make_queue("late").orders(None) == Orders(third, {}, heard.unloaded)


async def test_loading_one_version_or_all(store: JobStore, make_queue: MakeQueue) -> None:
    queue = make_queue()
    await store.unload(MODEL, ["1", "10", "2"])
    await store.unload("squarer-x", ["1"])
    await store.load(MODEL, "1")
    assert queue.orders(None).unloaded == {ModelKey("squarer", "10"), OTHER, ModelKey("squarer-x", "1")}
    await store.load(MODEL)
    assert queue.orders(None).unloaded == {ModelKey("squarer-x", "1")}


async def test_an_unloaded_model_takes_no_jobs(store: JobStore, make_queue: MakeQueue) -> None:
    queue = make_queue()
    running = await submit(store)
    claim = claim_one(queue)
    await submit(store)
    await store.unload(MODEL, ["1"])
    with pytest.raises(ModelUnloaded):
        await store.submit(spec(), b"in", rows=1)
    assert queue.claim({QUEUE: 5, OTHER: 5}, 1) == []  # though one waits, and this worker has not heard yet
    assert queue.finish(claim, b"{}", b"")
    assert (await store.get(running)).status == "succeeded"
    await store.load(MODEL, "1")
    assert len(queue.claim({QUEUE: 5}, 0)) == 1


async def test_waiting_jobs_are_refused_and_running_ones_are_not(store: JobStore, make_queue: MakeQueue) -> None:
    queue = make_queue(lease_ms=60_000)
    running = await submit(store)
    claim_one(queue)
    given_back = await submit(store, priority="batch")
    assert queue.release(claim_one(queue))
    waiting = [await submit(store) for _ in range(150)] + [await submit(store, priority="batch")]
    other, _ = await store.submit(spec(version="2"), b"in", rows=1)
    assert queue.refuse(QUEUE) == 0, "it is in service"
    await store.unload(MODEL, ["1"])
    assert queue.refuse(QUEUE) == 152
    for job_id in (*waiting, given_back):
        record = await store.get(job_id)
        assert record.status == "failed"
        assert record.error is not None
        assert record.error.code == "model_unloaded"
    assert (await store.get(running)).status == "running"
    assert (await store.get(other)).status == "queued"
    assert queue.refuse(QUEUE) == 0
    assert (await store.backlog())[QUEUE] == 1


async def test_jobs_of_a_dead_worker_are_refused(
    store: JobStore, make_queue: MakeQueue, raw: redis.Redis, namespace: str
) -> None:
    queue = make_queue(lease_ms=1)
    job_id = await submit(store)
    claim = claim_one(queue)
    entry = raw.hget(f"{namespace}:job:{job_id}", "entry")
    raw.xclaim(f"{namespace}:queue:{QUEUE}:interactive", "workers", "any", 0, [entry], idle=1_000, justid=True)
    await store.unload(MODEL, ["1"])
    assert queue.refuse(QUEUE) == 1
    assert not queue.finish(claim, b"{}", b"")
    assert (await store.get(job_id)).status == "failed"


async def test_refusing_where_nothing_was_ever_asked(store: JobStore, make_queue: MakeQueue) -> None:
    await store.unload("never", ["1"])
    assert make_queue().refuse(ModelKey("never", "1")) == 0
    assert make_queue("b").claim({ModelKey("never", "1"): 1, ModelKey("nor-this", "1"): 1}, 1) == []


async def test_cards_of_unloaded_models(store: JobStore, make_queue: MakeQueue) -> None:
    cards = [card(MODEL, "2"), card(MODEL, "10", "idle"), card(MODEL, "11", "failed", error="no file")]
    make_queue().announce(worker("w"), cards)
    assert (await store.card(MODEL)).version == "10"
    await store.unload(MODEL, ["10"])
    assert (await store.card(MODEL)).version == "2"
    assert (await store.card(MODEL, "10")).status == "unloaded"
    assert [one.status for one in await store.cards()] == ["ready", "unloaded", "failed"]
    await store.unload(MODEL, ["2", "11"])
    assert {one.status for one in await store.cards()} == {"unloaded"}
    await store.load(MODEL)
    assert await store.cards() == cards


async def test_a_change_of_status_is_seen_at_once(store: JobStore, make_queue: MakeQueue) -> None:
    one, other = make_queue("a"), make_queue("b")
    one.announce(worker("a"), [card(MODEL, "1", "loading")])
    one.announce(worker("a"), [card(MODEL, "1")])
    assert (await store.card(MODEL)).status == "ready"
    one.announce(worker("a"), [card(MODEL, "1", "idle")])
    assert (await store.card(MODEL)).status == "idle"
    other.announce(worker("b"), [card(MODEL, "1")])
    assert (await store.card(MODEL)).status == "ready"
    one.announce(worker("a"), [card(MODEL, "1", "failed", error="gone")])
    assert (await store.card(MODEL)).status == "ready"


async def test_an_order_is_carried_out_when_every_worker_has(store: JobStore, make_queue: MakeQueue) -> None:
    order = await store.load(MODEL)
    assert not await store.carried_out(order), "nobody is there"
    later = await store.load(MODEL)
    make_queue("a").announce(worker("a").model_copy(update={"order": later}), [])
    assert await store.carried_out(order)
    assert await store.carried_out(later)
    make_queue("b").announce(worker("b").model_copy(update={"order": order}), [])
    assert await store.carried_out(order)
    assert not await store.carried_out(later)
