"""The counters of one worker: collected while jobs run, and assembled for the heartbeat."""

import threading
from collections import defaultdict
from dataclasses import dataclass

from schemas.model_key import ModelKey
from schemas.statistics import DeviceCounters, JobCounters, ModelCounters, PassCounters, WorkerStatistics
from workers.engine.device.memory import memory_bytes
from workers.engine.engine import Engine
from workers.models.pool import ModelPool
from workers.models.resident import Device


@dataclass(slots=True)
class _Totals:
    """Of one model."""

    succeeded: int = 0
    failed: int = 0


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

    def counters(self) -> dict[ModelKey, JobCounters]:
        """The counters so far, for each model that has had a job."""
        with self._lock:
            return {model: _job_counters(totals) for model, totals in self._totals.items()}


def worker_statistics(models: ModelPool, jobs: JobStatistics, device: Device) -> WorkerStatistics:
    """The counters of every model of the pool, and of models that have had a job; and those of the device."""
    of_jobs = {model: JobCounters() for model in models.serving()} | jobs.counters()
    of_passes = {model: _pass_counters(resident.engine) for model, resident in models.resident().items()}
    of_memory = models.counters()
    return WorkerStatistics(
        models={
            model: ModelCounters(jobs=of_jobs.get(model), passes=of_passes.get(model), memory=of_memory.get(model))
            for model in of_jobs | of_passes | of_memory
        },
        device=_device_counters(device),
    )


def _job_counters(totals: _Totals) -> JobCounters:
    return JobCounters(jobs_total=totals.succeeded, failed_total=totals.failed)


def _device_counters(device: Device) -> DeviceCounters:
    used, total = memory_bytes(device.device)
    return DeviceCounters(busy_seconds_total=device.gate.busy_s(), memory_used_bytes=used, memory_total_bytes=total)


def _pass_counters(engine: Engine) -> PassCounters:
    stats = engine.stats
    return PassCounters(
        executed_rows_total=stats.rows,
        passes_total=stats.passes,
        pass_seconds_total=stats.seconds,
        oom_total=stats.oom,
        solo_rows_total=stats.solo_rows,
        solo_passes_total=stats.solo_passes,
        shared_capacity_rows_total=stats.shared_capacity_rows,
        output_cache_hits_total=engine.output_cache.hits,
        output_cache_misses_total=engine.output_cache.misses,
        live_jobs=engine.live,
        batch_rows=engine.batch_rows,
    )
