"""Runs claimed jobs in threads: each job by itself, or coalesced with others of its group."""

import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from time import monotonic
from typing import TypeVar

import structlog

from broker import Claim
from schemas.errors import JobCancelled
from schemas.telemetry.spans import Tracer
from workers.engine.device.blas import use_one_thread_beside_torch
from workers.engine.device.threads import use_threads
from workers.engine.error_trace import without_data
from workers.jobs.admission import Admission
from workers.jobs.coalesce import run_coalesced
from workers.jobs.job import ClaimedJob, FailedJob, JobEnd, JobResult
from workers.jobs.pace import PaceMeter
from workers.jobs.settling import Settling
from workers.jobs.single import run_single
from workers.jobs.tuning import DRAIN_STEP_S, MAX_THREADS, STOP_JOBS_S
from workers.models.pool import ModelPool

log = structlog.get_logger()
T = TypeVar("T")


class JobRunner:
    """Takes claims, and hands the end of each job to `settling`. Every method may be called from any thread."""

    def __init__(
        self, models: ModelPool, admission: Admission, settling: Settling, tracer: Tracer | None = None
    ) -> None:
        self.admission = admission
        self.settling = settling
        self.pace = PaceMeter()
        self._models = models
        self._tracer = tracer
        self._threads = ThreadPoolExecutor(
            max_workers=MAX_THREADS,
            thread_name_prefix="job",
            initializer=_use_one_thread,
        )

    def start(self, claim: Claim) -> None:
        """Starts a job, or adds it to the group that runs jobs like it."""
        job = self.admission.admit(claim)
        self.pace.begin()
        if self._tracer is not None:
            job.record(self._tracer)
        group = self.admission.group_of(job)
        if group is None:
            self._submit(self._run_alone, job)
        elif self.admission.join_group(group, job):
            self._submit(self._run_group, group)

    def active(self) -> list[ClaimedJob]:
        """The jobs that have not ended."""
        return self.admission.active()

    def cancel(self, job_id: str) -> None:
        """Stops a job at its next pass. Its result, if it has one, is not stored."""
        job = self.admission.find(job_id)
        if job is not None:
            self._cancel(job)

    def decline(self, claims: Iterable[Claim]) -> None:
        """Hands jobs back that were claimed while the worker was told to stop."""
        for claim in claims:
            if not self.settling.release(claim):
                self.start(claim)  # the store is away: `stop` tries again

    def stop(self, grace_s: float, hurry: threading.Event | None = None) -> bool:
        """Waits up to `grace_s` for running jobs, or until `hurry` is set, then hands the others back to the queue.

        Returns:
            False if threads of jobs still run that do not notice that their job was handed back.
        """
        until_s = monotonic() + grace_s
        # By steps: the handler of a signal cannot wake a thread that may hold the lock it needs.
        while self.admission.active() and not (hurry and hurry.is_set()) and (left_s := until_s - monotonic()) > 0:
            self.admission.wait_until_idle(min(left_s, DRAIN_STEP_S))
        self.settling.stop()
        for job in self.admission.active():
            self.settling.release(job.claim)
            self._cancel(job)
        self._threads.shutdown(wait=False)
        self.admission.wait_until_idle(STOP_JOBS_S)
        return not self.admission.active()

    def _submit(self, run: Callable[[T], None], what: T) -> None:
        self._threads.submit(run, what).add_done_callback(_log_error)

    def _cancel(self, job: ClaimedJob) -> None:
        job.task.cancelled.set()
        model = job.model
        if model is not None:
            model.engine.cancel(job.task)
        self._models.wake()

    def _run_alone(self, job: ClaimedJob) -> None:
        try:
            end: JobEnd = self._single_result(job)
        except Exception as error:  # Captum asserts, and a model may raise anything
            end = FailedJob(job, error)
        self._settle([end])

    def _single_result(self, job: ClaimedJob) -> JobResult:
        with self._models.use(job.model_key, job.task) as model:
            job.model = model
            try:
                with _watched([job]):
                    return run_single(model, job)
            finally:
                job.model = None  # the pool may evict it while the result is stored

    def _run_group(self, group: Hashable) -> None:
        """Runs the jobs of a group until none waits."""
        while jobs := self.admission.next_run(group):
            first = jobs[0]
            try:
                with self._models.use(first.model_key, first.task) as model, _watched(jobs):
                    ends = run_coalesced(model, jobs)
            except JobCancelled:  # the first job, while it waited for the model
                for job in jobs:
                    self._run_alone(job)
            except Exception as error:
                self._settle([FailedJob(job, error) for job in jobs])
            else:
                self._settle(ends)

    def _settle(self, ends: Sequence[JobEnd]) -> None:
        try:
            self.settling.settle(ends)
        finally:
            for end in ends:
                self.pace.end(end.job, succeeded=isinstance(end, JobResult))
                if end.job.trace is not None:
                    end.job.trace.end("lost")  # unless its end is stored
            self.admission.discharge(end.job for end in ends)


def _use_one_thread() -> None:
    """Prepares a thread of jobs: the passes have the cores."""
    use_threads(1)
    use_one_thread_beside_torch()


@contextmanager
def _watched(jobs: Sequence[ClaimedJob]) -> Iterator[None]:
    """Shows the watchdog that the calling thread computes these jobs."""
    for job in jobs:
        job.thread = threading.current_thread()
    try:
        yield
    finally:
        for job in jobs:
            job.thread = None


def _log_error(future: Future[None]) -> None:
    """Logs an error that no job is to blame for: its end could not be stored."""
    error = future.exception()
    if error is not None:
        log.critical("job thread raised", exception=without_data(error))
