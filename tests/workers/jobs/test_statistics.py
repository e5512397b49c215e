"""What a worker counts."""

import threading
from types import SimpleNamespace
from typing import Any, cast

from schemas.model_key import ModelKey
from schemas.results import Timing
from schemas.statistics import JobCounters, MemoryCounters, PassCounters
from workers.engine.stats import EngineStats
from workers.jobs.statistics import JobStatistics, worker_statistics
from workers.models.pool import ModelPool

TIMING = Timing(queued_ms=1000, prepare_ms=20, run_ms=300, wait_ms=40, pass_ms=250, rows=8, passes=2)
MEMORY = MemoryCounters(loads_total=1, evictions_total=0, model_bytes=512)


class PoolDouble:
    """A pool with one model in memory, `m@1`, one that is idle, `m@2`, and one that failed to load, `m@3`."""

    def serving(self) -> list[str]:
        return [ModelKey("m", "1"), ModelKey("m", "2")]

    def resident(self) -> dict[str, Any]:
        stats = EngineStats(passes=3, rows=24, seconds=1.5, oom=1)
        return {ModelKey("m", "1"): SimpleNamespace(engine=SimpleNamespace(stats=stats, live=2, batch_rows=8))}

    def counters(self) -> dict[str, MemoryCounters]:
        return dict.fromkeys([ModelKey("m", "1"), ModelKey("m", "2"), ModelKey("m", "3")], MEMORY)


def test_times_are_added_up_in_seconds() -> None:
    statistics = JobStatistics()
    statistics.add_timing(ModelKey("m", "1"), TIMING, finish_s=0.5)
    statistics.add_timing(ModelKey("m", "1"), TIMING, finish_s=0.25)
    statistics.count_succeeded(ModelKey("m", "1"))
    statistics.count_failed(ModelKey("n", "1"))
    assert statistics.counters() == {
        ModelKey("m", "1"): JobCounters(
            jobs_total=1,
            job_queued_seconds_total=2.0,
            job_prepare_seconds_total=0.04,
            job_wait_seconds_total=0.08,
            job_pass_seconds_total=0.5,
            job_finish_seconds_total=0.75,
        ),
        ModelKey("n", "1"): JobCounters(failed_total=1),
    }


def test_no_count_is_lost_between_threads() -> None:
    statistics = JobStatistics()

    def count() -> None:
        for _ in range(1000):
            statistics.count_succeeded(ModelKey("m", "1"))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statistics.counters()[ModelKey("m", "1")].jobs_total == 4000


def test_each_model_has_the_counters_that_apply_to_it() -> None:
    jobs = JobStatistics()
    jobs.count_failed(ModelKey("gone", "1"))
    models = worker_statistics(cast(ModelPool, PoolDouble()), jobs).models
    assert models[ModelKey("m", "1")].jobs == JobCounters()
    assert models[ModelKey("m", "1")].memory == MEMORY
    assert models[ModelKey("m", "1")].passes == PassCounters(
        executed_rows_total=24, passes_total=3, pass_seconds_total=1.5, oom_total=1, live_jobs=2, batch_rows=8
    )
    assert (models[ModelKey("m", "2")].jobs, models[ModelKey("m", "2")].passes) == (JobCounters(), None)
    assert (models[ModelKey("m", "3")].jobs, models[ModelKey("m", "3")].memory) == (None, MEMORY)
    assert models[ModelKey("gone", "1")].jobs == JobCounters(failed_total=1)
    assert models[ModelKey("gone", "1")].memory is None
