"""The counters of one worker: collected while jobs run, and assembled for the heartbeat."""

import threading
from collections import defaultdict
from dataclasses import dataclass

from schemas.model_key import ModelKey
from schemas.results import Timing
from schemas.statistics import JobCounters, ModelCounters, PassCounters, WorkerStatistics
from workers.engine.engine import Engine
from workers.models.pool import ModelPool


@dataclass(slots=True)
class _Totals:
    """Of one model. Times are seconds."""

    succeeded: int = 0
    failed: int = 0
    queued_s: float = 0.0
    prepare_s: float = 0.0
    wait_s: float = 0.0
    pass_s: float = 0.0
    finish_s: float = 0.0


class JobStatistics:
    """Counts the jobs of each model. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._totals: defaultdict[ModelKey, _Totals] = defaultdict(_Totals)

    def count_succeeded(self, model: ModelKey) -> None:
        """Counts a job whose result is stored."""
        with self._lock:
            self._totals[model].succeeded += 1

    def count_failed(self, model: ModelKey) -> None:
        """Counts a job that ended without a result; a cancelled job is not counted."""
        with self._lock:
            self._totals[model].failed += 1

    def add_timing(self, model: ModelKey, timing: Timing, finish_s: float) -> None:
        """Adds the time that one job spent in each stage; `finish_s` is the time that storing its result took."""
        with self._lock:
            totals = self._totals[model]
            totals.queued_s += timing.queued_ms / 1e3
            totals.prepare_s += timing.prepare_ms / 1e3
            totals.wait_s += timing.wait_ms / 1e3
            totals.pass_s += timing.pass_ms / 1e3
            totals.finish_s += finish_s

    def counters(self) -> dict[ModelKey, JobCounters]:
        """The counters so far, for each model that has had a job."""
        with self._lock:
            return {model: _job_counters(totals) for model, totals in self._totals.items()}


def worker_statistics(models: ModelPool, jobs: JobStatistics) -> WorkerStatistics:
    """The counters of every model of the pool, and of models that have had a job."""
    of_jobs = {model: JobCounters() for model in models.serving()} | jobs.counters()
    of_passes = {model: _pass_counters(resident.engine) for model, resident in models.resident().items()}
    of_memory = models.counters()
    return WorkerStatistics(
        models={
            model: ModelCounters(jobs=of_jobs.get(model), passes=of_passes.get(model), memory=of_memory.get(model))
            for model in of_jobs | of_passes | of_memory
        }
    )


def _job_counters(totals: _Totals) -> JobCounters:
    return JobCounters(
        jobs_total=totals.succeeded,
        failed_total=totals.failed,
        job_queued_seconds_total=totals.queued_s,
        job_prepare_seconds_total=totals.prepare_s,
        job_wait_seconds_total=totals.wait_s,
        job_pass_seconds_total=totals.pass_s,
        job_finish_seconds_total=totals.finish_s,
    )


def _pass_counters(engine: Engine) -> PassCounters:
    stats = engine.stats
    return PassCounters(
        executed_rows_total=stats.rows,
        passes_total=stats.passes,
        pass_seconds_total=stats.seconds,
        oom_total=stats.oom,
        live_jobs=engine.live,
        batch_rows=engine.batch_rows,
    )
