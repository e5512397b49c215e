"""Stores the end of each job: a result, a failure, or its release to the queue; counts them and their time."""

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from time import perf_counter
from typing import TypeVar

import structlog

from broker import FinishedJob
from broker.worker.claimed_jobs import ClaimedJobs
from schemas.errors import JobCancelled, JobError, JobFailed, StoreFull, StoreUnavailable
from schemas.jobs import JobFailure
from schemas.sentences import Sentence
from workers.engine.error_trace import without_data
from workers.jobs.job import ClaimedJob, FailedJob, JobEnd, JobResult
from workers.jobs.job_trace import stage
from workers.jobs.measured_results import measure_result
from workers.jobs.measurements import Measurements
from workers.jobs.statistics import JobStatistics
from workers.jobs.tuning import STORE_FULL_TRIES, STORE_RETRY_S
from workers.monitors.watching import Watching

log = structlog.get_logger()
T = TypeVar("T")


class Settling:
    """Writes to the job store, again and again while it is away. Every method may be called from any thread.

    Attributes:
        statistics: the jobs that ended here.
        measurements: what they took and yielded.
        watching: what their attributions add to monitors.
    """

    def __init__(self, claimed_jobs: ClaimedJobs) -> None:
        self._claimed_jobs = claimed_jobs
        self._stopping = threading.Event()
        self.statistics = JobStatistics()
        self.measurements = Measurements()
        self.watching = Watching()

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
        with ExitStack() as stages:
            for result in results:
                stages.enter_context(stage(result.job.trace, "finish"))
            outcomes = self._stored(finished)
        finish_s = perf_counter() - started
        for result, one, outcome in zip(results, finished, outcomes, strict=False):  # no outcomes when the worker stops
            if isinstance(outcome, StoreFull):
                self._fail(result.job, JobFailed("the job store had no room for the result"))
            elif outcome:
                self.statistics.count_succeeded(result.job.model_key)
                measure_result(self.measurements, result, len(one.meta), finish_s)
                self.watching.observe(result.job.spec, result.meta, result.tensors, result.explained_scores)
                _end_trace(result.job, "succeeded")
                _logger(result.job).info("job succeeded", **result.meta.timing.model_dump())
            else:  # its lease had lapsed, or it was cancelled
                _logger(result.job).info("result not stored", reason="the job is no longer this worker's")

    def _stored(self, finished: list[FinishedJob]) -> list[bool | StoreFull]:
        """The outcomes of `finish_all`. Results for which there is no room are tried again: room was kept for them, and
        what took it is the buffers of other connections, which the server frees within seconds."""
        outcomes = self._retried(lambda: self._claimed_jobs.finish_all(finished)) or []
        for _ in range(STORE_FULL_TRIES):
            full = [i for i, outcome in enumerate(outcomes) if isinstance(outcome, StoreFull)]
            if not full or self._stopping.wait(STORE_RETRY_S):
                break
            again = [finished[i] for i in full]
            for i, outcome in zip(
                full, self._retried(partial(self._claimed_jobs.finish_all, again)) or [], strict=False
            ):
                outcomes[i] = outcome
        return outcomes

    def _end_without_result(self, job: ClaimedJob, error: Exception) -> None:
        if isinstance(error, JobCancelled):
            if self._stopping.is_set():
                self._retried(lambda: self._claimed_jobs.release(job.claim))
            _end_trace(job, "released" if self._stopping.is_set() else "cancelled")
            _logger(job).info("job stopped")
        elif isinstance(error, JobError):
            self._fail(job, error)
        else:
            _logger(job).error("job raised", exception=without_data(error))
            self._fail(job, _as_job_error(error))

    def _fail(self, job: ClaimedJob, error: JobError) -> None:
        self.statistics.count_failed(job.model_key)
        _logger(job).warning("job failed", code=error.code)
        failure = JobFailure.of(error)
        self._retried(lambda: self._claimed_jobs.fail(job.claim, failure))
        _end_trace(job, "failed", error.code)

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
        return JobFailed(Sentence("the method refused this request: {reason}", reason=str(error)[:300]))
    return JobFailed(Sentence("the method raised {error}", error=type(error).__name__))


def _end_trace(job: ClaimedJob, outcome: str, error: str | None = None) -> None:
    if job.trace is not None:
        job.trace.end(outcome, error=error, rows=job.task.rows, passes=job.task.passes)


def _logger(job: ClaimedJob) -> structlog.stdlib.BoundLogger:
    bound: structlog.stdlib.BoundLogger = log.bind(
        **job.task.names, model=str(job.model_key), method=job.spec.method.get("name")
    )
    return bound
