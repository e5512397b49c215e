"""What the job store knows, for Prometheus: read anew at each scrape, and absent when the store is."""

import asyncio
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from broker import JobStore, WorkerInfo
from schemas.errors import Unavailable

TIMEOUT_S = 1.0  # a scrape must not hang on a store that does
COUNTER_NAME = re.compile(r"[a-z][a-z0-9_]{0,60}")
HELP = {
    "rows_total": "Model rows asked for by jobs.",
    "executed_rows_total": "Model rows computed, padding and repeats included.",
    "passes_total": "Passes run.",
    "pass_seconds_total": "Time spent in passes.",
    "jobs_total": "Jobs ended.",
    "failed_total": "Jobs failed.",
    "job_queued_seconds_total": "Time that jobs stood in the queue.",
    "job_prepare_seconds_total": "Time that jobs' inputs took to decode and preprocess.",
    "job_wait_seconds_total": "Time that jobs waited for their passes.",
    "job_pass_seconds_total": "Time of the passes that held rows of a job, counted for each job.",
    "job_finish_seconds_total": "Time that results took to store.",
    "batch_rows": "Rows of a full pass.",
    "oom_total": "Times that a batch did not fit into memory.",
    "live_jobs": "Jobs being computed now.",
    "loads_total": "Times that the model was loaded.",
    "evictions_total": "Times that it made room for another.",
    "model_bytes": "Memory that it takes now.",
    "last_used_timestamp_seconds": "When a job last began or ended on it.",
}


async def store_exposition(store: JobStore) -> bytes:
    """Prometheus text format; only `attribution_store_up 0` when the store does not answer within a second."""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            workers, backlog = await asyncio.gather(store.workers(), store.backlog())
    except (Unavailable, TimeoutError):
        return _exposition([_gauge("attribution_store_up", "Whether the job store answers.", 0)])
    return _exposition(list(families(workers, backlog)))


def families(workers: list[WorkerInfo], backlog: dict[str, int]) -> Iterator[Metric]:
    """The metrics of a moment. `backlog` is jobs waiting and running, by "name@version"."""
    yield _gauge("attribution_store_up", "Whether the job store answers.", 1)
    yield _gauge("attribution_workers", "Live workers.", len(workers))
    depth = GaugeMetricFamily("attribution_queue_depth", "Jobs waiting and running.", labels=["model"])
    for model, jobs in backlog.items():
        depth.add_metric([model], jobs)
    yield depth
    seconds = GaugeMetricFamily(
        "attribution_backlog_seconds", "Time to work the queue off at the workers' pace so far.", labels=["model"]
    )
    for model, estimate_s in backlog_seconds(workers, backlog).items():
        seconds.add_metric([model], estimate_s)
    yield seconds
    yield from _worker_families(workers)
    status = GaugeMetricFamily(
        "attribution_model_status", "1 for the status that it has there.", labels=["model", "worker", "status"]
    )
    for worker in workers:
        for model, residence in worker.residence.items():
            status.add_metric([model, worker.id, residence.status], 1)
    yield status


def backlog_seconds(workers: list[WorkerInfo], backlog: dict[str, int]) -> dict[str, float]:
    """Jobs times pass seconds per job, shared among the workers that hold the model; only where jobs have ended."""
    estimates = {}
    for model, jobs in backlog.items():
        holders = [worker for worker in workers if model in worker.models]
        ended = sum(worker.stats.get(f"{model}|jobs_total", 0.0) for worker in holders)
        spent_s = sum(worker.stats.get(f"{model}|pass_seconds_total", 0.0) for worker in holders)
        if ended > 0:
            estimates[model] = jobs * spent_s / ended / len(holders)
    return estimates


def _worker_families(workers: list[WorkerInfo]) -> Iterator[Metric]:
    """Each worker's own counters. They are not summed over workers here: a sum would fall when a worker leaves, and
    Prometheus reads a counter that falls as one that began anew."""
    samples: dict[str, list[tuple[str, str, float]]] = defaultdict(list)
    for worker in workers:
        for key, value in worker.stats.items():
            model, _, counter = key.rpartition("|")
            if COUNTER_NAME.fullmatch(counter):
                samples[counter].append((model, worker.id, value))
    for counter, values in sorted(samples.items()):
        yield _worker_family(counter, values)


def _worker_family(counter: str, values: Iterable[tuple[str, str, float]]) -> Metric:
    kind = CounterMetricFamily if counter.endswith("_total") else GaugeMetricFamily
    name = f"attribution_worker_{counter.removesuffix('_total')}"
    family = kind(name, HELP.get(counter, "Reported by workers."), labels=["model", "worker"])
    for model, worker, value in values:
        family.add_metric([model, worker], value)
    return family


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


class _Snapshot(Collector):
    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _exposition(metrics: list[Metric]) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Snapshot(metrics))
    return generate_latest(registry)
