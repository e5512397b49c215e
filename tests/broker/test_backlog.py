"""The seconds of work that wait for one worker of a group, from the real store."""

from typing import Any

import pytest

from broker import Backlog, JobStore, NewJob, Pace, WorkerQueue
from broker.backlog import backlogs, pace_of
from broker.tuning import UNKNOWN_ROWS_PER_S
from schemas.model_key import ModelKey
from tests.broker.conftest import MakeQueue
from tests.broker.gateway.test_models import card, worker
from tests.broker.helpers import MODEL, QUEUE, claim_one, spec

pytestmark = pytest.mark.anyio
UNKNOWN = Pace(float(UNKNOWN_ROWS_PER_S), measured=False)


def announce(queue: WorkerQueue, name: str, group: str, *models: str) -> None:
    info = worker(name).model_copy(update={"group": group})
    queue.registration.announce(info, [card(model, "1") for model in models])


async def test_it_is_told_for_sleeping_models_is_zero_when_empty_and_ignores_how_many_workers_there_are(
    store: JobStore, make_queue: MakeQueue
) -> None:
    queues = [make_queue(name) for name in ("a", "b", "c")]
    for queue, name in zip(queues, ("a", "b", "c"), strict=True):
        announce(queue, name, "g", MODEL)
    empty = [Backlog(QUEUE, "g", 0.0, UNKNOWN)]
    assert list((await store.reports.read()).backlogs) == empty
    await store.jobs.submit(NewJob(spec(), b"x", rows=1000))
    waiting = [Backlog(QUEUE, "g", 1000 / UNKNOWN_ROWS_PER_S, UNKNOWN)]
    assert list((await store.reports.read()).backlogs) == waiting
    claim = claim_one(queues[0])
    assert list((await store.reports.read()).backlogs) == waiting, "a running job has not been computed"
    for queue in queues:
        queue.registration.retire()
    assert list((await store.reports.read()).backlogs) == waiting
    assert await store.reports.backlog(QUEUE) == waiting
    assert queues[0].claimed_jobs.finish(claim, b"{}", b"t")
    assert list((await store.reports.read()).backlogs) == empty


async def test_a_model_in_two_groups_counts_in_each_at_the_pace_of_its_worker(
    store: JobStore, make_queue: MakeQueue
) -> None:
    cpu, gpu = make_queue("a"), make_queue("b")
    announce(cpu, "a", "cpu", MODEL, "other")
    announce(gpu, "b", "gpu", MODEL)
    cpu.measurements.tell_pace(QUEUE, "cpu", rows=100, busy_s=2.0)
    await store.jobs.submit(NewJob(spec(), b"x", rows=1000))
    found = {(one.model.name, one.group): one for one in (await store.reports.read()).backlogs}
    assert found["squarer", "cpu"] == Backlog(QUEUE, "cpu", 20.0, Pace(50.0, measured=True))
    assert found["squarer", "gpu"] == Backlog(QUEUE, "gpu", 20.0, Pace(50.0, measured=False)), "the best that is known"
    assert found["other", "cpu"].seconds == 0
    gpu.measurements.tell_pace(QUEUE, "gpu", rows=2000, busy_s=2.0)
    found = {(one.model.name, one.group): one for one in (await store.reports.read()).backlogs}
    assert found["squarer", "gpu"] == Backlog(QUEUE, "gpu", 1.0, Pace(1000.0, measured=True))
    assert found["squarer", "cpu"].seconds == 20.0


async def test_the_pace_of_one_worker_does_not_grow_with_their_number(store: JobStore, make_queue: MakeQueue) -> None:
    await store.jobs.submit(NewJob(spec(), b"x", rows=1000))
    for name in ("a", "b", "c", "d"):
        queue = make_queue(name)
        announce(queue, name, "g", MODEL)
        for _ in range(3):
            queue.measurements.tell_pace(QUEUE, "g", rows=200, busy_s=2.0)
    (one,) = await store.reports.backlog(QUEUE)
    assert one.pace == Pace(pytest.approx(100.0), measured=True)
    assert one.seconds == pytest.approx(10.0)


async def test_a_later_pace_takes_the_place_of_an_earlier(store: JobStore, queue: WorkerQueue) -> None:
    announce(queue, "w", "g", MODEL)
    queue.measurements.tell_pace(QUEUE, "g", rows=60_000, busy_s=60)
    for _ in range(10):
        queue.measurements.tell_pace(QUEUE, "g", rows=6_000, busy_s=60)
    (one,) = await store.reports.backlog(QUEUE)
    assert 100 <= one.pace.rows_per_s < 101


def test_no_job_is_overlooked() -> None:
    (one,) = backlogs(QUEUE, jobs=2, rows=0, pace_fields={}, groups=["g"])
    assert one.seconds > 0
    (none,) = backlogs(QUEUE, jobs=0, rows=5, pace_fields={}, groups=["g"])  # a counter that leaks starts no worker
    assert none.seconds == 0


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"rows g": "nan", "busy_ms g": "5000"},
        {"rows g": "inf", "busy_ms g": "5000"},
        {"rows g": "words", "busy_ms g": "5000"},
        {"rows g": "100"},
        {"rows g": "100", "busy_ms g": "999"},
        {"rows g": "0.5", "busy_ms g": "5000"},
        {"rows g": "-4", "busy_ms g": "5000"},
    ],
)
def test_what_is_damaged_or_too_little_is_no_pace(fields: dict[str, Any]) -> None:
    assert pace_of(fields, "g") == UNKNOWN
    other = {"rows other": "500", "busy_ms other": "5000"}
    assert pace_of(fields | other, "g") == Pace(100.0, measured=False)


async def test_a_model_whose_card_is_gone_is_still_told(store: JobStore) -> None:
    await store.jobs.submit(NewJob(spec(model="never-announced"), b"x", rows=500))
    assert list((await store.reports.read()).backlogs) == [
        Backlog(ModelKey("never-announced", "1"), "default", 1.0, UNKNOWN)
    ]
