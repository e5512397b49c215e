"""One of two stores is away: its models get 503, and the others notice nothing."""

import pytest

from broker import SeveralStores, WorkerQueue
from schemas.errors import JobNotFound, StoreUnavailable
from tests.broker.gateway.several.conftest import MOVED, Servers, job
from tests.broker.gateway.several.test_stores import card, definition, worker
from tests.broker.helpers import MODEL

pytestmark = pytest.mark.anyio


async def test_only_its_own_models_are_unavailable(
    own_servers: Servers, several: SeveralStores, queues: tuple[WorkerQueue, WorkerQueue]
) -> None:
    here = (await several.jobs.submit(job(MODEL))).record.id
    there = (await several.jobs.submit(job(MOVED))).record.id
    queues[0].registration.announce(worker(0, MODEL), [card(MODEL)])
    queues[1].registration.announce(worker(1, MOVED), [card(MOVED)])
    own_servers[1].stop()

    await several.ping()
    assert (await several.jobs.get(here)).status == "queued"
    assert (await several.jobs.submit(job(MODEL))).outcome == "created"
    assert [one.id for one in (await several.jobs.page(model=MODEL))[0]][-1] == here
    assert [one.name for one in await several.models.cards()] == [MODEL]
    assert [one.id for one in await several.workers.live()] == ["worker-0"]
    report = await several.reports.read()
    assert not report.is_whole
    assert [model.name for model in report.queues] == [MODEL]
    with pytest.raises(JobNotFound):
        await several.jobs.get("x" * 22)
    for call in (
        several.jobs.get(there),
        several.jobs.submit(job(MOVED)),
        several.models.card(MOVED),
        several.jobs.page(),  # without its jobs the page would have a gap
        several.monitors.all(""),
        several.monitors.put("drift", definition(MODEL)),  # its name may be taken there
        several.ping_all(),
    ):
        with pytest.raises(StoreUnavailable):
            await call

    own_servers[1].start()  # empty, as these servers keep nothing
    await several.ping_all()
    assert (await several.jobs.submit(job(MOVED))).outcome == "created"
    assert (await several.reports.read()).is_whole


async def test_a_store_that_hangs_delays_lists_by_less_than_a_scrape_waits(
    own_servers: Servers, several: SeveralStores
) -> None:
    await several.jobs.submit(job(MODEL))
    await several.jobs.submit(job(MOVED))
    own_servers[1].pause()
    try:
        report = await several.reports.read()
        assert not report.is_whole
        assert [model.name for model in report.queues] == [MODEL]
    finally:
        own_servers[1].resume()


async def test_both_are_away(own_servers: Servers, several: SeveralStores) -> None:
    for server in own_servers:
        server.stop()
    for call in (several.ping(), several.models.cards(), several.workers.live(), several.reports.read()):
        with pytest.raises(StoreUnavailable):
            await call
