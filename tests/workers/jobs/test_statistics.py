"""What a worker counts."""

import threading
from types import SimpleNamespace
from typing import Any, cast

from schemas.model_key import ModelKey
from schemas.statistics import JobCounters, MemoryCounters, PassCounters
from tests.workers.toys import CPU
from workers.engine.device.gate import DeviceGate
from workers.engine.stats import EngineStats
from workers.jobs.statistics import JobStatistics, worker_statistics
from workers.models.pool import ModelPool
from workers.models.resident import Device

DEVICE = Device(CPU, 1, None, DeviceGate())
MEMORY = MemoryCounters(loads_total=1, evictions_total=0, model_bytes=512)


class PoolDouble:
    """A pool with one model in memory, `m@1`, one that is idle, `m@2`, and one that failed to load, `m@3`."""

    def serving(self) -> list[str]:
        return [ModelKey("m", "1"), ModelKey("m", "2")]

    def resident(self) -> dict[str, Any]:
        stats = EngineStats(3, 24, 1.5, oom=1, solo_passes=1, solo_rows=4, shared_capacity_rows=32)
        cache = SimpleNamespace(hits=5, misses=6)
        engine = SimpleNamespace(stats=stats, live=2, batch_rows=8, output_cache=cache)
        return {ModelKey("m", "1"): SimpleNamespace(engine=engine)}

    def counters(self) -> dict[str, MemoryCounters]:
        return dict.fromkeys([ModelKey("m", "1"), ModelKey("m", "2"), ModelKey("m", "3")], MEMORY)


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
    statistics = worker_statistics(cast(ModelPool, PoolDouble()), jobs, DEVICE)
    models = statistics.models
    assert models[ModelKey("m", "1")].jobs == JobCounters()
    assert models[ModelKey("m", "1")].memory == MEMORY
    assert models[ModelKey("m", "1")].passes == PassCounters(
        executed_rows_total=24,
        passes_total=3,
        pass_seconds_total=1.5,
        oom_total=1,
        solo_rows_total=4,
        solo_passes_total=1,
        shared_capacity_rows_total=32,
        output_cache_hits_total=5,
        output_cache_misses_total=6,
        live_jobs=2,
        batch_rows=8,
    )
    assert (models[ModelKey("m", "2")].jobs, models[ModelKey("m", "2")].passes) == (JobCounters(), None)
    assert (models[ModelKey("m", "3")].jobs, models[ModelKey("m", "3")].memory) == (None, MEMORY)
    assert models[ModelKey("gone", "1")].jobs == JobCounters(failed_total=1)
    assert models[ModelKey("gone", "1")].memory is None


def test_the_device_tells_how_long_it_was_busy_and_its_memory() -> None:
    DEVICE.gate.run(lambda: sum(range(10_000)), 1)
    device = worker_statistics(cast(ModelPool, PoolDouble()), JobStatistics(), DEVICE).device
    assert device is not None
    assert device.busy_seconds_total > 0
    assert 0 < device.memory_used_bytes < device.memory_total_bytes
