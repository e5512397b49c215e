"""300 long jobs that nobody waits for hold up nobody: the attack that once froze a model for nine minutes."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from safetensors.torch import save

from broker import JobStore, NewJob, WorkerQueue
from schemas.jobs import TERMINAL
from schemas.methods import IntegratedGradients, Saliency
from tests.servers import StoreServer
from tests.workers.jobs.net import KEY, example, spec
from tests.workers.jobs.polling import LIMIT_S, until
from workers.jobs.admission import Admission
from workers.jobs.background import BackgroundThreads
from workers.jobs.job import ClaimedJob
from workers.jobs.running import JobRunner
from workers.jobs.settling import Settling
from workers.jobs.tuning import INTERACTIVE_SHARE
from workers.main import _claim_until
from workers.methods.captum_changes import quadrature_nodes
from workers.methods.captum_changes.quadrature_nodes import Nodes, NodeTable, compute_nodes
from workers.models.pool import ModelPool
from workers.models.resident import ResidentModel
from workers.settings import WorkerSettings

pytestmark = pytest.mark.anyio
ATTACK = 300
MOST_STEPS = 2_000  # each job of its own number: no two share their nodes, and none is coalesced with another
LIVE = WorkerSettings(device="cpu").live_jobs()


class Counted(Admission):
    """Keeps the largest number of jobs that were active at once."""

    most = 0

    def admit(self, claim: Any) -> ClaimedJob:
        job = super().admit(claim)
        self.most = max(self.most, len(self.active()))
        return job


@pytest.fixture
async def store(store_server: StoreServer, namespace: str, anyio_backend: str) -> AsyncIterator[JobStore]:
    store = JobStore(store_server.url, namespace=namespace, queue_depth=4 * ATTACK, timeout_s=LIMIT_S)
    yield store
    await store.close()


@pytest.fixture
def nodes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The orders of which nodes were computed."""
    computed: list[int] = []

    def compute(count: int) -> Nodes:
        computed.append(count)
        return compute_nodes(count)

    monkeypatch.setattr(quadrature_nodes, "TABLE", NodeTable(compute))
    return computed


@pytest.fixture
def runner(pool: ModelPool, model: ResidentModel, queue: WorkerQueue) -> Iterator[JobRunner]:
    """A worker's runner with its claim loop, as a worker on a CPU runs them."""
    runner = JobRunner(pool, Counted(pool, LIVE), Settling(queue.claimed_jobs))
    stop = threading.Event()
    loop = threading.Thread(target=_claim_until, args=(stop, queue, runner, pool, BackgroundThreads(pool, {})))
    model.engine.hold()  # no row is computed before a test says so
    loop.start()
    yield runner
    model.engine.release()
    stop.set()
    loop.join(LIMIT_S)
    runner.stop(0.0)


async def submit(store: JobStore, method: Any, value: float = 0.5, **fields: Any) -> str:
    job = spec(method, target=[1], **fields)
    return (await store.jobs.submit(NewJob(job, save({"input.0": example(value)}), rows=job.rows))).record.id


async def submit_attack(store: JobStore, **fields: Any) -> list[str]:
    methods = [IntegratedGradients(n_steps=MOST_STEPS - number) for number in range(ATTACK)]
    submissions = (submit(store, method, number / ATTACK, **fields) for number, method in enumerate(methods))
    return list(await asyncio.gather(*submissions))


async def cancel_all(store: JobStore, runner: JobRunner, ids: list[str]) -> None:
    await asyncio.gather(*(store.jobs.cancel(job_id) for job_id in ids))
    for job_id in ids:
        runner.cancel(job_id)


def end_all(runner: JobRunner) -> None:
    """Waits until no job is active."""

    def are_ended() -> bool:  # a job may be on its way from the claim to the runner; the reporter would find it
        for job in runner.active():
            runner.cancel(job.id)
        return not runner.active()

    until(are_ended)


async def statuses(store: JobStore, ids: list[str]) -> list[str]:
    return [job.status for job in await asyncio.gather(*map(store.jobs.get, ids))]


def batch_jobs(runner: JobRunner) -> int:
    return sum(job.spec.priority == "batch" for job in runner.active())


async def ended(store: JobStore, job_id: str) -> str:
    async with store.jobs.watch(job_id) as records:
        return [record.status async for record in records][-1]


def test_the_bound_of_a_worker_on_a_cpu() -> None:
    assert LIVE == 32


async def test_jobs_whose_clients_cancel(
    store: JobStore, runner: JobRunner, model: ResidentModel, nodes: list[int]
) -> None:
    ids = await submit_attack(store)
    until(lambda: len(runner.active()) == LIVE)
    model.engine.release()
    await cancel_all(store, runner, ids)
    assert await ended(store, await submit(store, Saliency())) == "succeeded"
    end_all(runner)
    assert set(await statuses(store, ids)) <= {"cancelled", "succeeded"}
    assert isinstance(runner.admission, Counted)
    assert runner.admission.most <= LIVE
    assert len(nodes) <= 2 * LIVE, "nodes are computed for jobs that run, not for those that nobody wants"


async def test_jobs_for_which_nobody_waits(store: JobStore, runner: JobRunner, model: ResidentModel) -> None:
    ids = await submit_attack(store, priority="batch")
    for_batch = LIVE - int(INTERACTIVE_SHARE * LIVE)
    until(lambda: batch_jobs(runner) == for_batch)
    asked = await submit(store, Saliency())
    until(lambda: runner.admission.find(asked))
    assert batch_jobs(runner) == for_batch, "it needed no batch job to end"
    model.engine.release()
    assert await ended(store, asked) == "succeeded"
    left = [status for status in await statuses(store, ids) if status not in TERMINAL]
    assert len(left) >= ATTACK - for_batch
    await cancel_all(store, runner, ids)
    end_all(runner)
    assert runner.admission.capacity()[KEY] > 0
