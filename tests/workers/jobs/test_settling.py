"""The ends of jobs, as a real job store holds them."""

import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import structlog
from safetensors.torch import save

from broker import Claim, JobStore, NewJob, WorkerQueue
from schemas.errors import InputRejected, JobCancelled
from schemas.jobs import JobStatus
from schemas.methods import Saliency
from schemas.results import ResultMeta
from schemas.telemetry.names import STAGE_SECONDS
from tests.servers import StoreServer
from tests.workers.jobs.net import KEY, example, spec
from workers.jobs.job import ClaimedJob, FailedJob, JobResult
from workers.jobs.settling import Settling
from workers.jobs.single import run_single
from workers.models.resident import ResidentModel

pytestmark = pytest.mark.anyio
LIMIT_S = 60.0
STORE_TIMEOUT_S = 0.2


@pytest.fixture
def own_server() -> Iterator[StoreServer]:
    with StoreServer("valkey") as server:
        yield server


async def claims(store: JobStore, queue: WorkerQueue, count: int) -> list[ClaimedJob]:
    for _ in range(count):
        await store.jobs.submit(NewJob(spec(Saliency(), digest="weights"), save({"input.0": example(1.0)}), rows=1))
    found: list[Claim] = queue.claims.take({KEY: count}, 0)
    assert len(found) == count
    return [ClaimedJob(claim) for claim in found]


async def status(store: JobStore, job: ClaimedJob) -> JobStatus:
    return (await store.jobs.get(job.id)).status


async def test_results_and_failures_are_stored_and_counted(
    store: JobStore, queue: WorkerQueue, model: ResidentModel
) -> None:
    first, second, refused = await claims(store, queue, 3)
    results = [run_single(model, job) for job in (first, second)]
    settling = Settling(queue.claimed_jobs)
    settling.settle([results[0], FailedJob(refused, InputRejected("not this one")), results[1]])
    for result in results:
        meta, tensors = await store.results.get(result.job.id)
        assert ResultMeta.model_validate_json(meta) == result.meta
        assert tensors == result.tensors
        assert (await store.jobs.get(result.job.id)).target == result.meta.target
    failed = await store.jobs.get(refused.id)
    assert failed.status == "failed"
    assert failed.error is not None
    assert (failed.error.code, failed.error.detail) == ("input_rejected", "not this one")
    counters = settling.statistics.counters()[KEY]
    assert (counters.jobs_total, counters.failed_total) == (2, 1)
    counts = settling.measurements.take()[KEY].counts
    prepare_s = sum(result.meta.timing.prepare_ms for result in results) / 1e3
    stage = partial(STAGE_SECONDS.series, "saliency", "interactive")
    assert counts[f"{stage('prepare')} sum"] == pytest.approx(prepare_s)
    assert counts[f"{stage('finish')} sum"] > 0


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (AssertionError("n_steps must be positive"), "the method refused this request: n_steps must be positive"),
        (AssertionError(), "the method raised AssertionError"),
        (KeyError("secret"), "the method raised KeyError"),
    ],
)
async def test_unforeseen_errors_reach_clients_without_their_data(
    store: JobStore, queue: WorkerQueue, error: Exception, detail: str
) -> None:
    (job,) = await claims(store, queue, 1)
    with structlog.testing.capture_logs() as logs:
        Settling(queue.claimed_jobs).settle([FailedJob(job, error)])
    stored = (await store.jobs.get(job.id)).error
    assert stored is not None
    assert (stored.code, stored.detail) == ("job_failed", detail)
    assert [entry["event"] for entry in logs] == ["job raised", "job failed"]
    assert "secret" not in str(logs)


async def test_a_cancelled_job_is_released_only_when_the_worker_stops(store: JobStore, queue: WorkerQueue) -> None:
    cancelled, released = await claims(store, queue, 2)
    settling = Settling(queue.claimed_jobs)
    settling.settle([FailedJob(cancelled, JobCancelled("by its client"))])
    assert await status(store, cancelled) == "running"  # the client's cancellation has ended it in the store
    settling.stop()
    settling.settle([FailedJob(released, JobCancelled("the worker stops"))])
    assert await status(store, released) == "queued"
    assert [claim.job_id for claim in queue.claims.take({KEY: 1}, 0)] == [released.id]
    assert settling.statistics.counters() == {}


async def test_a_result_that_is_no_longer_ours_is_not_counted(
    store: JobStore, queue: WorkerQueue, model: ResidentModel
) -> None:
    (job,) = await claims(store, queue, 1)
    result = run_single(model, job)
    await store.jobs.cancel(job.id)
    settling = Settling(queue.claimed_jobs)
    settling.settle([result])
    assert await status(store, job) == "cancelled"
    assert not any(one.jobs_total for one in settling.statistics.counters().values())


async def test_only_a_result_of_the_weights_that_the_request_saw_is_reusable(
    store: JobStore, queue: WorkerQueue, model: ResidentModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    (job,) = await claims(store, queue, 1)
    result = run_single(model, job)
    finished: list[Any] = []
    monkeypatch.setattr(queue.claimed_jobs, "finish_all", lambda jobs: finished.extend(jobs) or [True] * len(jobs))
    same = result.meta.model_copy(update={"model": result.meta.model.model_copy(update={"digest": "weights"})})
    Settling(queue.claimed_jobs).settle([result, JobResult(job, same, result.tensors)])
    assert [one.reusable for one in finished] == [False, True]


async def test_an_end_is_stored_when_the_store_is_back(
    own_server: StoreServer, namespace: str, model: ResidentModel
) -> None:
    store = JobStore(own_server.url, namespace=namespace)
    queue = WorkerQueue(own_server.url, "worker-1", namespace=namespace, lease_ms=60_000, timeout_s=STORE_TIMEOUT_S)
    first, second = await claims(store, queue, 2)
    result = run_single(model, first)
    settling = Settling(queue.claimed_jobs)
    own_server.pause()
    tried = threading.Event()
    settle = threading.Thread(target=lambda: (tried.set(), settling.settle([result])))
    settle.start()
    assert tried.wait(LIMIT_S)
    settle.join(2 * STORE_TIMEOUT_S)
    assert settle.is_alive()
    own_server.resume()
    settle.join(LIMIT_S)
    assert await status(store, first) == "succeeded"
    own_server.pause()
    settling.stop()
    settling.settle([FailedJob(second, InputRejected("too late"))])  # returns, though the store does not answer
    own_server.resume()
    await store.close()
    queue.close()
