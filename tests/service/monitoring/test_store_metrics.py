"""Metrics of the store and of workers: names, kinds, help texts and values."""

from typing import Any

from prometheus_client.metrics_core import Metric

from broker import Backlog, Pace, QueueLoad, StoreReport, WorkerInfo
from schemas.model_key import ModelKey
from schemas.models import Residence
from schemas.statistics import (
    DeviceCounters,
    JobCounters,
    MemoryCounters,
    ModelCounters,
    PassCounters,
    WorkerStatistics,
)
from service.monitoring.store_metrics import StoreState, store_families

MODEL, OTHER = ModelKey("m", "1"), ModelKey("other", "1")
EMPTY = StoreReport({}, {}, 0, None)


def pass_counters(**counters: float) -> PassCounters:
    """Zeros, but for the counters given."""
    return PassCounters.model_validate(dict.fromkeys(PassCounters.model_fields, 0) | counters)


def worker(name: str, counters: ModelCounters, residence: Residence | None = None) -> WorkerInfo:
    device = DeviceCounters(busy_seconds_total=2.5, memory_used_bytes=3, memory_total_bytes=4)
    return WorkerInfo(
        id=name,
        device="cpu",
        host="h",
        pid=1,
        started_ms=0,
        models=[MODEL],
        statistics=WorkerStatistics(models={MODEL: counters}, device=device),
        residence={MODEL: residence} if residence else {},
    )


def by_name(workers: list[WorkerInfo], report: StoreReport = EMPTY) -> dict[str, Metric]:
    return {family.name: family for family in store_families(StoreState(workers, report))}


def samples(metric: Metric) -> dict[tuple[str, ...], float]:
    return {tuple(one.labels.values()): one.value for one in metric.samples}


def test_workers_are_not_summed_and_absent_counters_have_no_sample() -> None:
    memory = MemoryCounters(loads_total=1, evictions_total=0, model_bytes=0)
    found = by_name(
        [
            worker("a", ModelCounters(jobs=JobCounters(jobs_total=3))),
            worker("b", ModelCounters(jobs=JobCounters(jobs_total=4), memory=memory)),
        ]
    )
    assert samples(found["attribution_worker_jobs"]) == {("m@1", "a"): 3, ("m@1", "b"): 4}
    assert samples(found["attribution_worker_loads"]) == {("m@1", "b"): 1}
    assert samples(found["attribution_device_busy_seconds"]) == {("cpu", "a"): 2.5, ("cpu", "b"): 2.5}
    assert "attribution_worker_last_used_timestamp_seconds" not in found
    assert "attribution_worker_passes" not in found


def test_queues_have_jobs_rows_and_seconds_without_a_worker_and_zeros_when_empty() -> None:
    backlogs = [
        Backlog(MODEL, "cpu", 4.0, Pace(10.0, measured=True)),
        Backlog(MODEL, "gpu", 0.5, Pace(80.0, measured=False)),
        Backlog(OTHER, "cpu", 2.0, Pace(10.0, measured=True)),
    ]
    queues = {MODEL: QueueLoad(3, 40, 1.5), OTHER: QueueLoad(0, 0, 0.0)}
    report = StoreReport(queues, {}, 7, 100, backlogs=backlogs)
    found = by_name([], report)
    assert samples(found["attribution_queue_jobs"]) == {("m@1",): 3, ("other@1",): 0}
    assert samples(found["attribution_queue_rows"]) == {("m@1",): 40, ("other@1",): 0}
    assert samples(found["attribution_drain_seconds"]) == {("m@1",): 1.5, ("other@1",): 0}
    assert samples(found["attribution_backlog_seconds"]) == {
        ("m@1", "cpu", "true"): 4.0,
        ("m@1", "gpu", "false"): 0.5,
        ("other@1", "cpu", "true"): 2.0,
    }
    assert samples(found["attribution_group_backlog_seconds"]) == {("cpu",): 6.0, ("gpu",): 0.5}
    assert samples(found["attribution_workers"]) == {(): 0}
    assert samples(found["attribution_store_used_bytes"]) == {(): 7}
    assert samples(found["attribution_store_budget_bytes"]) == {(): 100}


def test_a_store_without_a_bound_has_no_budget() -> None:
    assert "attribution_store_budget_bytes" not in by_name([])


def test_a_store_that_is_away_says_so_alone() -> None:
    (family,) = store_families(None)
    assert samples(family) == {(): 0}
    assert family.name == "attribution_store_up"


def test_the_status_of_a_model_at_each_worker() -> None:
    def loaded(name: str, **fields: Any) -> WorkerInfo:
        return worker(name, ModelCounters(), Residence(worker=name, **fields))

    found = by_name([loaded("a", status="ready", bytes=1), loaded("b", status="failed", error="no weights")])
    status = found["attribution_model_status"]
    assert samples(status) == {("m@1", "a", "ready"): 1, ("m@1", "b", "failed"): 1}
