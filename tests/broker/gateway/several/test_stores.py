"""Each model on one store: jobs, results, comparisons, monitors, cards, workers and reports."""

import asyncio

import pytest
import redis

from broker import Idempotency, SeveralStores, WorkerInfo, WorkerQueue
from broker.keys import JOB_ID_CHARS, new_job_id
from schemas.comparisons import CellRecord
from schemas.errors import ComparisonNotFound, InvalidRequest, JobNotFound, ModelNotFound, MonitorNotFound
from schemas.model_key import ModelKey
from schemas.models import ModelCard
from schemas.monitors import MonitorDefinition
from tests.broker.gateway.several.conftest import MOVED, OTHER, Servers, job
from tests.broker.helpers import MODEL

pytestmark = pytest.mark.anyio
Queues = tuple[WorkerQueue, WorkerQueue]


def card(name: str) -> ModelCard:
    return ModelCard(name=name, version="1", status="ready")


def worker(at: int, model: str, **fields: object) -> WorkerInfo:
    """The worker of one of the two queues."""
    known = {"id": f"worker-{at}", "device": "cpu", "host": "here", "pid": 1, "started_ms": 1}
    return WorkerInfo.model_validate({**known, "models": [ModelKey(model, "1")], **fields})


def definition(model: str) -> MonitorDefinition:
    return MonitorDefinition(model=model, method="saliency", first=50, window=50)


async def test_a_job_goes_to_the_store_of_its_model_and_its_id_leads_there(
    several: SeveralStores, queues: Queues, servers: Servers, namespace: str
) -> None:
    here = (await several.jobs.submit(job(MODEL))).record.id
    there = (await several.jobs.submit(job(MOVED))).record.id
    assert len(here) == JOB_ID_CHARS == len(new_job_id())
    assert there[JOB_ID_CHARS:] == f"-{OTHER}"
    for job_id, server in ((here, servers[0]), (there, servers[1])):
        with redis.Redis.from_url(server.url) as raw:
            assert raw.exists(f"{namespace}:job:{job_id}") == 1
        assert (await several.jobs.get(job_id)).id == job_id
        assert await several.jobs.payload(job_id) == b"input"
        assert await several.jobs.payload_bytes(job_id) == 5
        with pytest.raises(JobNotFound):
            await several.jobs.check_owner(job_id, "another")
    (claim,) = queues[1].claims.take({ModelKey(MOVED, "1"): 1}, 0)
    queues[1].claimed_jobs.finish(claim, b'{"id":1}', b"tensors")
    assert await several.results.get(there) == (b'{"id":1}', b"tensors")
    assert bytes(await (await several.results.open(there)).whole()) == b"tensors"
    assert (await several.jobs.cancel(here)).status == "cancelled"


async def test_waits_and_watches_end_with_the_job(several: SeveralStores, queues: Queues) -> None:
    async with (
        several.jobs.submit_and_wait(job(MOVED)) as (submitted, wait),
        several.jobs.watch(submitted.record.id) as records,
    ):
        assert (await anext(records)).status == "queued"
        (claim,) = await asyncio.to_thread(queues[1].claims.take, {ModelKey(MOVED, "1"): 1}, 1_000)
        queues[1].claimed_jobs.finish(claim, b"{}", b"")
        assert (await wait(10)).record.status == "succeeded"
        assert [one.status async for one in records][-1] == "succeeded"


@pytest.mark.parametrize(
    "text",
    [
        "x" * JOB_ID_CHARS,
        f"{'x' * JOB_ID_CHARS}-{OTHER}",
        f"{'x' * JOB_ID_CHARS}-nowhere",
        f"{'x' * JOB_ID_CHARS}-",
        f"-{OTHER}",
        OTHER,
        f"{'x' * JOB_ID_CHARS}_{OTHER}",
        f"{'x' * JOB_ID_CHARS}-{OTHER}-{OTHER}",
        "x" * 500,
        "a b\n",
        "",
    ],
)
async def test_ids_of_no_job_are_not_found(several: SeveralStores, text: str) -> None:
    for read in (several.jobs.get, several.jobs.cancel, several.results.open, several.jobs.payload):
        with pytest.raises(JobNotFound):
            await read(text)
    with pytest.raises(ComparisonNotFound):
        await several.comparisons.get(text)


async def test_the_id_of_one_store_finds_nothing_in_another(several: SeveralStores) -> None:
    there = (await several.jobs.submit(job(MOVED))).record.id
    for wrong in (there[:JOB_ID_CHARS], f"{there[:JOB_ID_CHARS]}-pictureS"):
        with pytest.raises(JobNotFound):
            await several.jobs.get(wrong)


async def test_pages_merge_by_time(several: SeveralStores) -> None:
    made = [(await several.jobs.submit(job(MOVED if number % 3 else MODEL))).record.id for number in range(11)]
    shown: list[str] = []
    cursor: str | None = None
    while True:
        jobs, cursor = await several.jobs.page(limit=4, cursor=cursor)
        shown += [one.id for one in jobs]
        if cursor is None:
            break
    assert shown == made[::-1]
    of_one, _ = await several.jobs.page(model=MOVED, version="1", status="queued", limit=200)
    assert [one.id for one in of_one] == [one for one in made[::-1] if one.endswith(OTHER)]
    first, cursor = await several.jobs.page(model=MOVED, limit=2)
    rest, _ = await several.jobs.page(model=MOVED, limit=200, cursor=cursor)
    assert [one.id for one in [*first, *rest]] == [one.id for one in of_one]
    with pytest.raises(InvalidRequest):
        await several.jobs.page(cursor="1772366400000000")


async def test_a_comparison_is_kept_where_its_models_are(several: SeveralStores) -> None:
    comparisons = several.comparisons_of({MOVED})
    begun = await comparisons.begin("", Idempotency("key", "fingerprint"))
    assert begun.id[JOB_ID_CHARS:] == f"-{OTHER}"
    there = (await several.jobs.submit(job(MOVED)._replace(comparison=begun.id))).record
    cell = CellRecord(model=MOVED, version="1", method={"name": "saliency"}, job=there.id, row=0)
    await several.comparisons.complete(begun.id, [cell])
    found = await several.comparisons.get(begun.id)
    assert [one.job for one in found.cells] == [there.id]
    await several.comparisons.keep_agreement(begun.id, [])
    assert (await several.comparisons.get(begun.id)).agreement == []
    again = await comparisons.begin("", Idempotency("key", "fingerprint"))
    assert (again.id, again.is_complete) == (begun.id, True)
    dropped = await several.comparisons_of({MODEL}).begin("", None)
    await several.comparisons.drop(dropped.id)
    with pytest.raises(ComparisonNotFound):
        await several.comparisons.get(dropped.id)


async def test_jobs_of_both_stores_are_read_at_once_in_their_order(several: SeveralStores) -> None:
    ids = [(await several.jobs.submit(job(model))).record.id for model in (MOVED, MODEL, MOVED)]
    assert list(await several.comparisons.jobs([*ids, "absent"])) == ids


async def test_models_of_different_stores_are_not_compared(several: SeveralStores) -> None:
    with pytest.raises(InvalidRequest, match="labeller, squarer are on different job stores"):
        several.comparisons_of({MODEL, MOVED})
    several.comparisons_of({MODEL, "unknown"})  # both are the default store's


async def test_cards_and_workers_are_of_all_stores(several: SeveralStores, queues: Queues) -> None:
    queues[0].registration.announce(worker(0, MODEL), [card(MODEL), card(MOVED)])
    queues[1].registration.announce(worker(1, MOVED), [card(MOVED), card("stray")])
    assert [one.name for one in await several.models.cards()] == [MOVED, MODEL]
    assert [one.id for one in await several.workers.live()] == ["worker-0", "worker-1"]
    assert (await several.models.card(MOVED)).name == MOVED
    with pytest.raises(ModelNotFound):  # a worker announced it in a store where no job for it comes
        await several.models.card("stray")


async def test_admin_commands_reach_the_workers_of_the_model(several: SeveralStores, queues: Queues) -> None:
    for at, model in enumerate((MODEL, MOVED)):
        queues[at].registration.announce(worker(at, model), [card(model)])
    command = await several.admin_commands.unload(MOVED, ["1"])
    assert not await several.admin_commands.is_executed(command)
    batch = queues[1].commands.latest()
    assert batch.unloaded == {ModelKey(MOVED, "1")}
    assert queues[0].commands.latest().unloaded == frozenset()
    queues[1].registration.announce(worker(1, MOVED, executed_command=batch.latest), [card(MOVED)])
    assert await several.admin_commands.is_executed(command)  # whatever the workers of the other store have done
    assert (await several.admin_commands.load(MOVED)).endswith(f" {MOVED}")


async def test_monitors_are_with_their_model_and_have_one_name(several: SeveralStores) -> None:
    assert await several.monitors.put("drift", definition(MOVED))
    assert await several.monitors.put("age", definition(MODEL))
    assert not await several.monitors.put("age", definition(MODEL))
    assert [one.name for one in await several.monitors.all("")] == ["age", "drift"]
    assert (await several.monitors.get("drift", "")).definition.model == MOVED
    assert not await several.monitors.put("drift", definition(MODEL))  # it replaces the one of the other store
    assert (await several.monitors.get("drift", "")).definition.model == MODEL
    assert [one.name for one in await several.monitors.all("")] == ["age", "drift"]
    assert await several.monitors.all("someone") == []
    await several.monitors.delete("drift", "")
    for call in (several.monitors.get, several.monitors.delete):
        with pytest.raises(MonitorNotFound):
            await call("drift", "")


async def test_the_report_is_the_sum(several: SeveralStores) -> None:
    for model in (MODEL, MOVED, MOVED):
        await several.jobs.submit(job(model))
    report = await several.reports.read()
    assert {model.name: load.jobs for model, load in report.queues.items()} == {MODEL: 1, MOVED: 2}
    assert {model.name: load.rows for model, load in report.queues.items()} == {MODEL: 5, MOVED: 10}
    assert report.used_bytes > 0
    assert report.budget_bytes is not None
    assert report.is_whole


async def test_sleeping_models_and_backlogs_are_those_of_each_model_s_store(
    several: SeveralStores, queues: Queues
) -> None:
    queues[0].registration.announce(worker(0, MODEL), [card(MODEL), card(MOVED)])
    queues[1].registration.announce(worker(1, MOVED), [card(MOVED)])
    for queue in queues:
        queue.registration.retire()
    assert [(one.model.name, one.asleep) for one in await several.models.names()] == [(MOVED, True), (MODEL, True)]
    await several.jobs.submit(job(MOVED))
    (backlog,) = await several.reports.backlog(ModelKey(MOVED, "1"))
    assert backlog.seconds > 0
    found = (await several.reports.read()).backlogs
    assert {(one.model.name, one.seconds > 0) for one in found} == {(MODEL, False), (MOVED, True)}
    assert len(found) == 2  # the card that was announced in the wrong store has none
