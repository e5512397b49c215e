"""Models are unloaded and loaded: what the gateway commands, and what workers read, whenever they start."""

import pytest
import redis

from broker import CommandBatch, JobStore, LoadCommand, NewJob
from schemas.errors import ModelUnloaded
from schemas.model_key import ModelKey
from tests.broker.conftest import MakeQueue
from tests.broker.gateway.test_models import card, worker
from tests.broker.helpers import MODEL, QUEUE, WAIT_MS, claim_one, spec, submit, submit_job

pytestmark = pytest.mark.anyio
OTHER = ModelKey("squarer", "2")


async def test_commands_are_read_in_order_and_once(store: JobStore, make_queue: MakeQueue) -> None:
    queue = make_queue()
    assert queue.commands.latest() == CommandBatch("0-0", {}, frozenset())
    first = await store.admin_commands.load(MODEL, "2")
    second = await store.admin_commands.unload(MODEL, ["1", "10"])
    third = await store.admin_commands.load("doubler")
    batch = queue.commands.read("0-0", WAIT_MS)
    assert batch == CommandBatch(
        third,
        {first: LoadCommand(MODEL, "2"), third: LoadCommand("doubler", None)},
        frozenset({QUEUE, ModelKey("squarer", "10")}),
    )
    assert queue.commands.read(second).loads == {third: LoadCommand("doubler", None)}
    assert queue.commands.read(third, 1) == CommandBatch(third, {}, batch.unloaded)
    assert make_queue("late").commands.latest() == CommandBatch(third, {}, batch.unloaded)


async def test_loading_one_version_or_all(store: JobStore, make_queue: MakeQueue) -> None:
    queue = make_queue()
    await store.admin_commands.unload(MODEL, ["1", "10", "2"])
    await store.admin_commands.unload("squarer-x", ["1"])
    await store.admin_commands.load(MODEL, "1")
    assert queue.commands.latest().unloaded == {ModelKey("squarer", "10"), OTHER, ModelKey("squarer-x", "1")}
    await store.admin_commands.load(MODEL)
    assert queue.commands.latest().unloaded == {ModelKey("squarer-x", "1")}


async def test_an_unloaded_model_takes_no_jobs(store: JobStore, make_queue: MakeQueue) -> None:
    queue = make_queue()
    running = await submit(store)
    claim = claim_one(queue)
    await submit(store)
    await store.admin_commands.unload(MODEL, ["1"])
    with pytest.raises(ModelUnloaded):
        await store.jobs.submit(NewJob(spec(), b"in", rows=1))
    assert (
        queue.claims.take({QUEUE: 5, OTHER: 5}, 1) == []
    )  # though one waits, and this worker has not read the command yet
    assert queue.claimed_jobs.finish(claim, b"{}", b"")
    assert (await store.jobs.get(running)).status == "succeeded"
    await store.admin_commands.load(MODEL, "1")
    assert len(queue.claims.take({QUEUE: 5}, 0)) == 1


async def test_waiting_jobs_are_refused_and_running_ones_are_not(store: JobStore, make_queue: MakeQueue) -> None:
    queue = make_queue(lease_ms=60_000)
    running = await submit(store)
    claim_one(queue)
    given_back = await submit(store, priority="batch")
    assert queue.claimed_jobs.release(claim_one(queue))
    waiting = [await submit(store) for _ in range(150)] + [await submit(store, priority="batch")]
    other, _ = await submit_job(store, NewJob(spec(version="2"), b"in", rows=1))
    assert queue.waiting_jobs.refuse(QUEUE) == 0, "it is in service"
    await store.admin_commands.unload(MODEL, ["1"])
    assert queue.waiting_jobs.refuse(QUEUE) == 152
    for job_id in (*waiting, given_back):
        record = await store.jobs.get(job_id)
        assert record.status == "failed"
        assert record.error is not None
        assert record.error.code == "model_unloaded"
    assert (await store.jobs.get(running)).status == "running"
    assert (await store.jobs.get(other)).status == "queued"
    assert queue.waiting_jobs.refuse(QUEUE) == 0
    assert (await store.jobs.backlog())[QUEUE] == 1


async def test_jobs_of_a_dead_worker_are_refused(
    store: JobStore, make_queue: MakeQueue, raw: redis.Redis, namespace: str
) -> None:
    queue = make_queue(lease_ms=1)
    job_id = await submit(store)
    claim = claim_one(queue)
    entry = raw.hget(f"{namespace}:job:{job_id}", "entry")
    raw.xclaim(f"{namespace}:queue:{QUEUE}:interactive", "workers", "any", 0, [entry], idle=1_000, justid=True)
    await store.admin_commands.unload(MODEL, ["1"])
    assert queue.waiting_jobs.refuse(QUEUE) == 1
    assert not queue.claimed_jobs.finish(claim, b"{}", b"")
    assert (await store.jobs.get(job_id)).status == "failed"


async def test_refusing_where_nothing_was_ever_asked(store: JobStore, make_queue: MakeQueue) -> None:
    await store.admin_commands.unload("never", ["1"])
    assert make_queue().waiting_jobs.refuse(ModelKey("never", "1")) == 0
    assert make_queue("b").claims.take({ModelKey("never", "1"): 1, ModelKey("nor-this", "1"): 1}, 1) == []


async def test_cards_of_unloaded_models(store: JobStore, make_queue: MakeQueue) -> None:
    cards = [card(MODEL, "2"), card(MODEL, "10", "idle"), card(MODEL, "11", "failed", error="no file")]
    make_queue().registration.announce(worker("w"), cards)
    assert (await store.models.card(MODEL)).version == "10"
    await store.admin_commands.unload(MODEL, ["10"])
    assert (await store.models.card(MODEL)).version == "2"
    assert (await store.models.card(MODEL, "10")).status == "unloaded"
    assert [one.status for one in await store.models.cards()] == ["ready", "unloaded", "failed"]
    await store.admin_commands.unload(MODEL, ["2", "11"])
    assert {one.status for one in await store.models.cards()} == {"unloaded"}
    await store.admin_commands.load(MODEL)
    assert await store.models.cards() == cards


async def test_a_change_of_status_is_seen_at_once(store: JobStore, make_queue: MakeQueue) -> None:
    one, other = make_queue("a"), make_queue("b")
    one.registration.announce(worker("a"), [card(MODEL, "1", "loading")])
    one.registration.announce(worker("a"), [card(MODEL, "1")])
    assert (await store.models.card(MODEL)).status == "ready"
    one.registration.announce(worker("a"), [card(MODEL, "1", "idle")])
    assert (await store.models.card(MODEL)).status == "idle"
    other.registration.announce(worker("b"), [card(MODEL, "1")])
    assert (await store.models.card(MODEL)).status == "ready"
    one.registration.announce(worker("a"), [card(MODEL, "1", "failed", error="gone")])
    assert (await store.models.card(MODEL)).status == "ready"


async def test_a_command_is_executed_when_every_worker_has(store: JobStore, make_queue: MakeQueue) -> None:
    command = await store.admin_commands.load(MODEL)
    assert not await store.admin_commands.is_executed(command), "nobody is there"
    later = await store.admin_commands.load(MODEL)
    make_queue("a").registration.announce(worker("a").model_copy(update={"executed_command": later}), [])
    assert await store.admin_commands.is_executed(command)
    assert await store.admin_commands.is_executed(later)
    make_queue("b").registration.announce(worker("b").model_copy(update={"executed_command": command}), [])
    assert await store.admin_commands.is_executed(command)
    assert not await store.admin_commands.is_executed(later)
