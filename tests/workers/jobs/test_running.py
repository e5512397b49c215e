"""Jobs from a real job store through a real engine, until they end, are cancelled or are released."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from safetensors.torch import load, save
from torch import Tensor

from broker import JobStore, NewJob, WorkerQueue
from schemas.errors import JobFailed
from schemas.jobs import JobSpec
from schemas.methods import IntegratedGradients, KernelShap, Saliency
from schemas.model_key import ModelKey
from schemas.results import ResultMeta
from tests.workers.jobs.claims import claimed
from tests.workers.jobs.net import ENTERED, OPEN, RAISES_AT, WAITS_AT, example, spec
from workers.jobs import running
from workers.jobs.admission import Admission
from workers.jobs.running import JobRunner
from workers.jobs.settling import Settling
from workers.jobs.single import run_single
from workers.jobs.tuning import COALESCED_RUN_S
from workers.models.pool import ModelPool
from workers.models.resident import ResidentModel

pytestmark = pytest.mark.anyio
LIMIT_S = 60.0
IG = IntegratedGradients(n_steps=20)


@pytest.fixture
def runner(pool: ModelPool, model: ResidentModel, queue: WorkerQueue) -> Iterator[JobRunner]:
    runner = JobRunner(pool, Admission(pool, max_live=64), Settling(queue.claimed_jobs))
    yield runner
    OPEN.set()
    runner.stop(LIMIT_S)


def counts(runner: JobRunner) -> tuple[int, int]:
    """Jobs that succeeded and jobs that failed."""
    counters = runner.settling.statistics.counters().values()
    return sum(one.jobs_total for one in counters), sum(one.failed_total for one in counters)


async def submit(store: JobStore, job: JobSpec, x: Tensor) -> str:
    return (await store.jobs.submit(NewJob(job, save({"input.0": x}), rows=job.rows))).record.id


def start_all(runner: JobRunner, queue: WorkerQueue, count: int) -> None:
    started = 0
    while started < count:
        claims = queue.claims.take(runner.admission.capacity(), 0)
        assert claims or runner.active(), "jobs are missing"
        for claim in claims:
            runner.start(claim)
        started += len(claims)


async def error_code(store: JobStore, job_id: str) -> str | None:
    error = (await store.jobs.get(job_id)).error
    return None if error is None else error.code


async def results(store: JobStore, ids: list[str]) -> list[tuple[ResultMeta, Tensor]]:
    found = [await store.results.get(job_id) for job_id in ids]
    return [(ResultMeta.model_validate_json(meta), load(tensors)["input"]) for meta, tensors in found]


@pytest.mark.parametrize("method", [IG, Saliency(), KernelShap(n_samples=20)], ids=lambda method: method.name)
async def test_each_job_has_the_result_of_a_single_run(
    store: JobStore, queue: WorkerQueue, runner: JobRunner, model: ResidentModel, method: Any
) -> None:
    inputs = torch.rand(9, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).split(1)
    ids = [await submit(store, spec(method, target=[1]), x) for x in inputs]
    start_all(runner, queue, len(ids))
    runner.admission.wait_until_idle(LIMIT_S)
    for x, job_id, (meta, attribution) in zip(inputs, ids, await results(store, ids), strict=True):
        alone = run_single(model, claimed(spec(method, target=[1]), {"input.0": x}))
        assert torch.allclose(attribution, load(alone.tensors)["input"], rtol=0, atol=1e-12)
        assert (meta.id, meta.target) == (job_id, alone.meta.target)
    assert counts(runner) == (9, 0)


async def test_short_jobs_of_a_group_are_coalesced(
    store: JobStore, queue: WorkerQueue, runner: JobRunner, model: ResidentModel
) -> None:
    stats = model.engine.stats
    stats.rows, stats.seconds = 1_000_000, COALESCED_RUN_S * 1_000  # 1000 rows in one run
    blocking = await submit(store, spec(IG, target=[1]), example(WAITS_AT))  # the first run of the group
    start_all(runner, queue, 1)
    assert ENTERED.wait(LIMIT_S)
    ids = [await submit(store, spec(IG, target=[1]), example(float(k))) for k in range(6)]
    start_all(runner, queue, 6)
    OPEN.set()
    runner.admission.wait_until_idle(LIMIT_S)
    assert (await store.jobs.get(blocking)).status == "succeeded"
    timings = [meta.timing for meta, _ in await results(store, ids)]
    assert len({timing.run_ms for timing in timings}) == 1  # one call
    assert {timing.rows for timing in timings} == {22}
    runner.admission.wait_for_groups(LIMIT_S)


async def test_a_job_that_raises_fails_alone(store: JobStore, queue: WorkerQueue, runner: JobRunner) -> None:
    ids = [await submit(store, spec(IG, target=[1]), example(value)) for value in (1.0, RAISES_AT, 2.0)]
    start_all(runner, queue, 3)
    runner.admission.wait_until_idle(LIMIT_S)
    assert [await error_code(store, job_id) for job_id in ids] == [None, "job_failed", None]
    assert counts(runner) == (2, 1)


async def test_a_cancelled_job_ends_while_its_pass_runs(
    store: JobStore, queue: WorkerQueue, runner: JobRunner, model: ResidentModel
) -> None:
    job_id = await submit(store, spec(KernelShap(n_samples=20), target=[1]), example(WAITS_AT))
    start_all(runner, queue, 1)
    assert ENTERED.wait(LIMIT_S)
    (job,) = runner.active()
    assert job.model is model
    await store.jobs.cancel(job_id)
    runner.cancel(job_id)
    runner.cancel("unknown")
    runner.admission.wait_until_idle(LIMIT_S)  # the forward still waits
    assert runner.active() == []
    assert job.model is None
    assert (await store.jobs.get(job_id)).status == "cancelled"
    assert counts(runner)[1] == 0


async def test_a_stopping_worker_releases_what_still_runs(
    store: JobStore, queue: WorkerQueue, pool: ModelPool, model: ResidentModel
) -> None:
    runner = JobRunner(pool, Admission(pool, max_live=64), Settling(queue.claimed_jobs))
    done = await submit(store, spec(Saliency()), example(1.0))
    start_all(runner, queue, 1)
    runner.admission.wait_until_idle(LIMIT_S)
    job_id = await submit(store, spec(KernelShap(n_samples=20), target=[1]), example(WAITS_AT))
    start_all(runner, queue, 1)
    assert ENTERED.wait(LIMIT_S)
    runner.stop(0.0)
    OPEN.set()
    assert (await store.jobs.get(done)).status == "succeeded"
    released = await store.jobs.get(job_id)
    assert (released.status, released.attempts) == ("queued", 0)


async def test_the_grace_ends_when_the_operator_is_in_a_hurry(
    store: JobStore, queue: WorkerQueue, pool: ModelPool, model: ResidentModel
) -> None:
    runner = JobRunner(pool, Admission(pool, max_live=64), Settling(queue.claimed_jobs))
    job_id = await submit(store, spec(KernelShap(n_samples=20), target=[1]), example(WAITS_AT))
    start_all(runner, queue, 1)
    assert ENTERED.wait(LIMIT_S)
    hurry = threading.Event()
    began_s = time.monotonic()
    threading.Timer(0.2, hurry.set).start()
    assert runner.stop(100 * LIMIT_S, hurry)
    assert time.monotonic() - began_s < LIMIT_S
    OPEN.set()
    released = await store.jobs.get(job_id)
    assert (released.status, released.attempts) == ("queued", 0)


async def test_a_job_whose_thread_notices_nothing_is_handed_back_all_the_same(
    store: JobStore, queue: WorkerQueue, pool: ModelPool, model: ResidentModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "STOP_JOBS_S", 0.1)
    runner = JobRunner(pool, Admission(pool, max_live=64), Settling(queue.claimed_jobs))
    monkeypatch.setattr(runner, "_cancel", lambda job: None)
    job_id = await submit(store, spec(KernelShap(n_samples=20), target=[1]), example(WAITS_AT))
    start_all(runner, queue, 1)
    assert ENTERED.wait(LIMIT_S)
    assert not runner.stop(0.0)
    released = await store.jobs.get(job_id)
    assert (released.status, released.attempts) == ("queued", 0)
    OPEN.set()
    runner.admission.wait_until_idle(LIMIT_S)
    assert (await store.jobs.get(job_id)).status == "queued", "its late result is no longer its own"


async def test_jobs_that_were_claimed_during_the_stop_are_handed_back(
    store: JobStore, queue: WorkerQueue, runner: JobRunner
) -> None:
    job_id = await submit(store, spec(IG, target=[1]), example(1.0))
    runner.decline(queue.claims.take({ModelKey("net", "1"): 1}, 0))
    found = await store.jobs.get(job_id)
    assert (found.status, found.attempts) == ("queued", 0)
    assert runner.active() == []


async def test_jobs_of_a_model_that_is_not_here_fail(store: JobStore, queue: WorkerQueue, runner: JobRunner) -> None:
    other = spec(IG).model_copy(update={"version": "2"})
    job_id = await submit(store, other, example(1.0))
    (claim,) = queue.claims.take({ModelKey("net", "2"): 1}, 0)
    runner.start(claim)
    runner.admission.wait_until_idle(LIMIT_S)
    assert await error_code(store, job_id) == JobFailed.code
