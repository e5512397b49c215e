"""Stores the end of each job: a result, a failure, or its release to the queue; counts them and their time."""

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import TypeVar

import structlog

from broker import FinishedJob, WorkerQueue
from schemas.errors import JobCancelled, JobError, JobFailed, StoreFull, StoreUnavailable
from schemas.jobs import JobFailure
from schemas.results import Timing
from workers.engine.error_trace import without_data
from workers.jobs.job import ClaimedJob, FailedJob, JobEnd, JobResult
from workers.jobs.tuning import STORE_RETRY_S

log = structlog.get_logger()
T = TypeVar("T")


class Settling:
    """Writes to the job store, again and again while it is away. Every method may be called from any thread.

    Attributes:
        jobs: jobs that succeeded, by `name@version`.
        failed: jobs that failed, by `name@version`.
        stages: seconds that finished jobs spent in each stage, by `name@version|counter`. Jobs that run at the same
            time each count their own.
    """

    def __init__(self, queue: WorkerQueue) -> None:
        self._queue = queue
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self.jobs: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.stages: defaultdict[str, float] = defaultdict(float)

    def stop(self) -> None:
        """From now on cancelled jobs are released to the queue, and a store that is away is not waited for."""
        self._stopping.set()

    def settle(self, ends: Sequence[JobEnd]) -> None:
        """Stores the ends of jobs, all results in one round trip."""
        for end in ends:
            if isinstance(end, FailedJob):
                self._end_without_result(end.job, end.error)
        results = [end for end in ends if isinstance(end, JobResult)]
        if results:
            self._finish(results)

    def _finish(self, results: list[JobResult]) -> None:
        finished = [_as_finished(result) for result in results]
        started = perf_counter()
        outcomes = self._retried(lambda: self._queue.finish_all(finished)) or []
        self._count_stages(results, finish_s=perf_counter() - started)
        for result, outcome in zip(results, outcomes, strict=False):  # no outcomes when the worker stops
            if isinstance(outcome, StoreFull):
                self._fail(result.job, JobFailed("the job store had no room for the result"))
            elif outcome:
                with self._lock:
                    self.jobs[result.job.model_key] += 1
                _logger(result.job).info("job succeeded", **result.meta.timing.model_dump())

    def _end_without_result(self, job: ClaimedJob, error: Exception) -> None:
        if isinstance(error, JobCancelled):
            if self._stopping.is_set():
                self._retried(lambda: self._queue.release(job.claim))
            _logger(job).info("job stopped")
        elif isinstance(error, JobError):
            self._fail(job, error)
        else:
            _logger(job).error("job raised", exception=without_data(error))
            self._fail(job, _as_job_error(error))

    def _fail(self, job: ClaimedJob, error: JobError) -> None:
        with self._lock:
            self.failed[job.model_key] += 1
        log.warning("job failed", job=job.id, model=job.model_key, code=error.code)
        failure = JobFailure(code=error.code, title=error.title, detail=error.detail)
        self._retried(lambda: self._queue.fail(job.claim, failure))

    def _retried(self, call: Callable[[], T]) -> T | None:
        """Repeats a call until the store answers; None when the worker stops first.

        The job stays active meanwhile, so its lease is renewed and no other worker starts it.
        """
        while True:
            try:
                return call()
            except StoreUnavailable:
                if self._stopping.wait(STORE_RETRY_S):
                    return None

    def _count_stages(self, results: list[JobResult], finish_s: float) -> None:
        with self._lock:
            for result in results:
                for stage, spent_s in _stages_s(result.meta.timing, finish_s):
                    self.stages[f"{result.job.model_key}|job_{stage}_seconds_total"] += spent_s


def _stages_s(timing: Timing, finish_s: float) -> list[tuple[str, float]]:
    return [
        ("queued", timing.queued_ms / 1e3),
        ("prepare", timing.prepare_ms / 1e3),
        ("wait", timing.wait_ms / 1e3),
        ("pass", timing.pass_ms / 1e3),
        ("finish", finish_s),
    ]


def _as_finished(result: JobResult) -> FinishedJob:
    meta = result.meta
    return FinishedJob(
        result.job.claim,
        meta.model_dump_json().encode(),
        result.tensors,
        meta.target,
        reusable=result.job.spec.digest in (None, meta.model.digest),
    )


def _as_job_error(error: Exception) -> JobError:
    """The error that a client may see of an unforeseen one: its class, and the message where Captum asserts."""
    if isinstance(error, AssertionError) and error.args:
        return JobFailed(f"the method refused this request: {str(error)[:300]}")
    return JobFailed(f"the method raised {type(error).__name__}")


def _logger(job: ClaimedJob) -> structlog.stdlib.BoundLogger:
    bound: structlog.stdlib.BoundLogger = log.bind(job=job.id, model=job.model_key, method=job.spec.method.get("name"))
    return bound
