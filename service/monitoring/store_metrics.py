"""Metrics of queues and workers for Prometheus, read from the job store at each scrape."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from broker import JobStore, WorkerInfo
from schemas.errors import Unavailable
from schemas.model_key import ModelKey
from schemas.statistics import JobCounters, MemoryCounters, PassCounters

TIMEOUT_S = 1.0  # of the store within one scrape: Prometheus gives up on a scrape after ten seconds
COUNTER_HELP = {
    name: field.description or ""
    for record in (JobCounters, PassCounters, MemoryCounters)
    for name, field in record.model_fields.items()
}


class _Sample(NamedTuple):
    model: ModelKey
    worker: str
    value: float


async def store_exposition(store: JobStore) -> bytes:
    """Prometheus text format; only `attribution_store_up 0` when the store does not answer within a second."""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            workers, backlog = await asyncio.gather(store.workers.live(), store.jobs.backlog())
    except (Unavailable, TimeoutError):
        return _exposition([_gauge("attribution_store_up", "Whether the job store answers.", 0)])
    return _exposition(list(families(workers, backlog)))


def families(workers: list[WorkerInfo], backlog: dict[ModelKey, int]) -> Iterator[Metric]:
    """The metrics of the moment. `backlog` is the number of jobs that wait or run, by model."""
    yield _gauge("attribution_store_up", "Whether the job store answers.", 1)
    yield _gauge("attribution_workers", "Live workers.", len(workers))
    depth = GaugeMetricFamily("attribution_queue_depth", "Jobs waiting and running.", labels=["model"])
    for model, jobs in backlog.items():
        depth.add_metric([str(model)], jobs)
    yield depth
    seconds = GaugeMetricFamily(
        "attribution_backlog_seconds", "Time to work the queue off at the workers' pace so far.", labels=["model"]
    )
    for model, estimate_s in backlog_seconds(workers, backlog).items():
        seconds.add_metric([str(model)], estimate_s)
    yield seconds
    yield from _worker_families(workers)
    status = GaugeMetricFamily(
        "attribution_model_status", "1 for the status that it has there.", labels=["model", "worker", "status"]
    )
    for worker in workers:
        for model, residence in worker.residence.items():
            status.add_metric([str(model), worker.id, residence.status], 1)
    yield status


def backlog_seconds(workers: list[WorkerInfo], backlog: dict[ModelKey, int]) -> dict[ModelKey, float]:
    """Seconds to work off the backlog of each model: the number of jobs, times the pass seconds per job so far, shared
    among the workers that serve the model. A model of which no job has ended is left out."""
    estimates = {}
    for model, jobs in backlog.items():
        servers = [worker for worker in workers if model in worker.models]
        counters = [worker.statistics.models[model] for worker in servers if model in worker.statistics.models]
        ended = sum(one.jobs.jobs_total for one in counters if one.jobs is not None)
        spent_s = sum(one.passes.pass_seconds_total for one in counters if one.passes is not None)
        if ended > 0:
            estimates[model] = jobs * spent_s / ended / len(servers)
    return estimates


def _worker_families(workers: list[WorkerInfo]) -> Iterator[Metric]:
    """The counters of each worker. They are not summed over workers: the sum would fall when a worker leaves, and
    Prometheus takes a counter that falls for one that started again."""
    samples: defaultdict[str, list[_Sample]] = defaultdict(list)
    for worker in workers:
        for model, counters in worker.statistics.models.items():
            for record in (counters.jobs, counters.passes, counters.memory):
                for name, value in record or ():
                    if value is not None:
                        samples[name].append(_Sample(model, worker.id, value))
    for name in sorted(samples):
        yield _worker_family(name, samples[name])


def _worker_family(counter: str, samples: Iterable[_Sample]) -> Metric:
    kind = CounterMetricFamily if counter.endswith("_total") else GaugeMetricFamily
    name = f"attribution_worker_{counter.removesuffix('_total')}"
    family = kind(name, COUNTER_HELP[counter], labels=["model", "worker"])
    for model, worker, value in samples:
        family.add_metric([str(model), worker], value)
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
