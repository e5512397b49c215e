"""Metrics of workers: names, kinds, help texts and values."""

from prometheus_client.metrics_core import Metric

from broker import WorkerInfo
from schemas.model_key import ModelKey
from schemas.models import Residence
from schemas.statistics import JobCounters, MemoryCounters, ModelCounters, PassCounters, WorkerStatistics
from service.monitoring.store_metrics import backlog_seconds, families

MODEL, OTHER = ModelKey("m", "1"), ModelKey("other", "1")
COUNTERS = {
    "executed_rows",
    "passes",
    "pass_seconds",
    "jobs",
    "failed",
    "job_queued_seconds",
    "job_prepare_seconds",
    "job_wait_seconds",
    "job_pass_seconds",
    "job_finish_seconds",
    "oom",
    "loads",
    "evictions",
}
GAUGES = {"batch_rows", "live_jobs", "model_bytes", "last_used_timestamp_seconds"}


def pass_counters(**counters: float) -> PassCounters:
    """Zeros, but for the counters given."""
    return PassCounters.model_validate(dict.fromkeys(PassCounters.model_fields, 0) | counters)


def worker(name: str, counters: ModelCounters, residence: Residence | None = None) -> WorkerInfo:
    return WorkerInfo(
        id=name,
        device="cpu",
        host="h",
        pid=1,
        started_ms=0,
        models=[MODEL],
        statistics=WorkerStatistics(models={MODEL: counters}),
        residence={MODEL: residence} if residence else {},
    )


def by_name(workers: list[WorkerInfo]) -> dict[str, Metric]:
    return {family.name: family for family in families(workers, {})}


def test_every_counter_of_a_worker_has_a_metric_with_a_help_text() -> None:
    memory = MemoryCounters(loads_total=1, evictions_total=0, model_bytes=9, last_used_timestamp_seconds=5.0)
    found = by_name([worker("a", ModelCounters(jobs=JobCounters(), passes=pass_counters(), memory=memory))])
    of_workers = {name.removeprefix("attribution_worker_"): one for name, one in found.items() if "_worker_" in name}
    assert {name for name, one in of_workers.items() if one.type == "counter"} == COUNTERS
    assert {name for name, one in of_workers.items() if one.type == "gauge"} == GAUGES
    assert all(one.documentation.endswith(".") for one in found.values())


def test_workers_are_not_summed_and_absent_counters_have_no_sample() -> None:
    memory = MemoryCounters(loads_total=1, evictions_total=0, model_bytes=0)
    found = by_name(
        [
            worker("a", ModelCounters(jobs=JobCounters(jobs_total=3))),
            worker("b", ModelCounters(jobs=JobCounters(jobs_total=4), memory=memory)),
        ]
    )
    samples = [(one.name, one.labels["worker"], one.value) for one in found["attribution_worker_jobs"].samples]
    assert samples == [("attribution_worker_jobs_total", "a", 3), ("attribution_worker_jobs_total", "b", 4)]
    assert [one.labels for one in found["attribution_worker_loads"].samples] == [{"model": "m@1", "worker": "b"}]
    assert "attribution_worker_last_used_timestamp_seconds" not in found
    assert "attribution_worker_passes" not in found


def test_the_status_of_a_model_at_each_worker() -> None:
    found = by_name([worker("a", ModelCounters(), Residence(worker="a", status="idle"))])
    (sample,) = found["attribution_model_status"].samples
    assert (sample.labels, sample.value) == ({"model": "m@1", "worker": "a", "status": "idle"}, 1)


def test_seconds_of_backlog() -> None:
    def busy(name: str, jobs: int, pass_s: float) -> WorkerInfo:
        counters = ModelCounters(jobs=JobCounters(jobs_total=jobs), passes=pass_counters(pass_seconds_total=pass_s))
        return worker(name, counters)

    workers = [busy("a", 3, 6.0), busy("b", 1, 6.0)]
    assert backlog_seconds(workers, {MODEL: 10, OTHER: 3}) == {MODEL: 10 * 3.0 / 2}
    assert backlog_seconds([busy("a", 0, 0.0)], {MODEL: 10}) == {}
