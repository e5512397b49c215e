"""Jobs that sleep, spin or hang in a pass, by a clock that the test sets."""

from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from safetensors.torch import save

from broker import JobStore, NewJob, WorkerQueue
from schemas.methods import KernelShap, Saliency
from tests.workers.jobs.net import ENTERED, OPEN, WAITS_AT, example, spec
from tests.workers.jobs.polling import LIMIT_S, until
from workers.jobs import running
from workers.jobs.admission import Admission
from workers.jobs.job import ClaimedJob
from workers.jobs.running import JobRunner
from workers.jobs.settling import Settling
from workers.jobs.tuning import BUSY_STALLS, MAX_ATTEMPTS
from workers.jobs.watchdog import Watchdog, cpu_seconds
from workers.models.pool import ModelPool
from workers.models.resident import ResidentModel

pytestmark = pytest.mark.anyio
STALL_S = 2.0


class Watched:
    """A runner with a watchdog whose clock the test sets."""

    def __init__(self, pool: ModelPool, queue: WorkerQueue) -> None:
        self.runner = JobRunner(pool, Admission(pool, max_live=64), Settling(queue.claimed_jobs))
        self.ends = 0
        self.watchdog = Watchdog(self.runner, queue.claimed_jobs, STALL_S, self._count)
        self.queue = queue

    def _count(self) -> None:
        self.ends += 1

    def start_next(self) -> ClaimedJob:
        (claim,) = self.queue.claims.take(self.runner.admission.capacity(), 0)
        self.runner.start(claim)
        (job,) = (job for job in self.runner.active() if job.id == claim.job_id)
        return job


@pytest.fixture
def watched(pool: ModelPool, model: ResidentModel, queue: WorkerQueue) -> Iterator[Watched]:
    one = Watched(pool, queue)
    yield one
    OPEN.set()
    one.runner.stop(LIMIT_S)


async def submit(store: JobStore, value: float, method: Any) -> str:
    job = spec(method, target=[1])
    return (await store.jobs.submit(NewJob(job, save({"input.0": example(value)}), rows=job.rows))).record.id


async def test_a_job_that_hangs_in_a_pass_is_given_up_and_the_process_ends(store: JobStore, watched: Watched) -> None:
    job_id = await submit(store, WAITS_AT, KernelShap(n_samples=20))
    watched.start_next()
    assert ENTERED.wait(LIMIT_S)
    with structlog.testing.capture_logs() as logs:
        watched.watchdog.look(0.0)
        watched.watchdog.look(STALL_S - 0.1)
        assert not logs
        watched.watchdog.look(STALL_S + 0.1)
    (stalled,) = (entry for entry in logs if entry["event"] == "job stalled")
    assert "in forward" in stalled["pass_stack"]
    assert str(WAITS_AT) not in stalled["pass_stack"], "code, no values"
    record = await store.jobs.get(job_id)
    assert (record.status, record.attempts) == ("queued", 1)
    watched.runner.admission.wait_until_idle(LIMIT_S)  # the job has ended; its pass has not
    watched.watchdog.look(STALL_S + 0.2)
    assert watched.ends == 0
    watched.watchdog.look(3 * STALL_S)
    assert watched.ends == 1


async def test_a_job_that_sleeps_outside_passes_fails_at_the_third_stall(
    store: JobStore, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sleep(model: ResidentModel, job: ClaimedJob) -> Any:
        assert job.task.cancelled.wait(LIMIT_S)
        raise RuntimeError("woken")

    monkeypatch.setattr(running, "run_single", sleep)
    job_id = await submit(store, 1.0, KernelShap(n_samples=20))
    for attempt in range(1, MAX_ATTEMPTS + 1):
        job = watched.start_next()
        until(lambda job=job: job.thread is not None)  # type: ignore[misc]
        watched.watchdog.look(0.0)
        watched.watchdog.look(STALL_S + 0.1)
        watched.runner.admission.wait_until_idle(LIMIT_S)
        watched.watchdog.look(10 * STALL_S)
        assert (await store.jobs.get(job_id)).attempts == attempt
    failed = await store.jobs.get(job_id)
    assert failed.error is not None
    assert (failed.status, failed.error.code) == ("failed", "stalled")
    assert watched.ends == 0, "the threads ended"


async def test_a_thread_that_computes_has_longer(
    store: JobStore, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spin(model: ResidentModel, job: ClaimedJob) -> Any:
        while not job.task.cancelled.is_set():
            pass
        raise RuntimeError("stopped")

    monkeypatch.setattr(running, "run_single", spin)
    job_id = await submit(store, 1.0, KernelShap(n_samples=20))
    job = watched.start_next()
    until(lambda: job.thread is not None)
    assert job.thread is not None
    watched.watchdog.look(0.0)
    native = job.thread.native_id
    started_s = cpu_seconds(native) or 0.0
    until(lambda: (cpu_seconds(native) or 0.0) - started_s > 0.4)
    watched.watchdog.look(2 * STALL_S)
    assert (await store.jobs.get(job_id)).status == "running"
    watched.watchdog.look(BUSY_STALLS * STALL_S + 1.0)
    assert (await store.jobs.get(job_id)).status == "queued"
    watched.runner.admission.wait_until_idle(LIMIT_S)


async def test_a_job_that_waits_for_others_never_stalls(
    store: JobStore, watched: Watched, model: ResidentModel
) -> None:
    job_id = await submit(store, 1.0, Saliency())
    model.engine.hold()
    try:
        job = watched.start_next()
        until(lambda: job.running_task.is_waiting)
        watched.watchdog.look(0.0)
        watched.watchdog.look(1e6)
    finally:
        model.engine.release()
    watched.runner.admission.wait_until_idle(LIMIT_S)
    assert (await store.jobs.get(job_id)).status == "succeeded"
