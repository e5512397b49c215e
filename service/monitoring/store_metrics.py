"""Metrics of queues, jobs and workers for Prometheus, read from the job store at each scrape."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from broker import Backlog, Store, StoreReport, WorkerInfo
from schemas.errors import Unavailable
from schemas.telemetry import names
from schemas.telemetry.definitions import Definition
from service.monitoring.measured_metrics import measured_families
from service.tuning import SCRAPE_TIMEOUT_S


class StoreState(NamedTuple):
    """What one scrape reads of the store; None where it does not answer within a second."""

    workers: list[WorkerInfo]
    report: StoreReport


class _Sample(NamedTuple):
    labels: tuple[str, ...]
    value: float


async def read_store(store: Store) -> StoreState | None:
    """The state of the store; None when it does not answer within `SCRAPE_TIMEOUT_S`."""
    try:
        async with asyncio.timeout(SCRAPE_TIMEOUT_S):
            return StoreState(*await asyncio.gather(store.workers.live(), store.reports.read()))
    except (Unavailable, TimeoutError):
        return None


def store_families(state: StoreState | None) -> Iterator[Metric]:
    """The metrics of the moment; only `attribution_store_up 0` without a state. Where one of several stores is away, it
    is 0, too, beside the metrics of the others."""
    yield _family(names.STORE_UP, [_Sample((), state is not None and state.report.is_whole)])
    if state is None:
        return
    workers, report = state
    yield _family(names.STORE_USED, [_Sample((), report.used_bytes)])
    if report.budget_bytes is not None:
        yield _family(names.STORE_BUDGET, [_Sample((), report.budget_bytes)])
    yield _family(names.WORKERS, [_Sample((), len(workers))])
    queues = {str(model): load for model, load in report.queues.items()}
    yield _family(names.QUEUE_JOBS, [_Sample((model,), load.jobs) for model, load in queues.items()])
    yield _family(names.QUEUE_ROWS, [_Sample((model,), load.rows) for model, load in queues.items()])
    yield from _backlog_families(report.backlogs)
    yield _family(names.DRAIN, [_Sample((model,), load.seconds) for model, load in queues.items()])
    yield from measured_families(report.measured)
    figures = [(monitor, *pair) for monitor, by_name in report.drift.items() for pair in by_name.items()]
    yield _family(names.DRIFT, [_Sample((monitor, statistic), value) for monitor, statistic, value in figures])
    yield from _worker_families(workers)
    yield _family(
        names.MODEL_STATUS,
        [
            _Sample((str(model), worker.id, residence.status), 1)
            for worker in workers
            for model, residence in worker.residence.items()
        ],
    )


def _backlog_families(backlogs: Sequence[Backlog]) -> Iterator[Metric]:
    """The numbers to scale groups of workers by: for each model, and for all models of a group."""
    of_models, of_groups = [], defaultdict[str, float](float)
    for one in backlogs:
        of_models.append(_Sample((str(one.model), one.group, str(one.pace.measured).lower()), one.seconds))
        of_groups[one.group] += one.seconds
    yield _family(names.BACKLOG, of_models)
    yield _family(names.GROUP_BACKLOG, [_Sample((group,), seconds) for group, seconds in sorted(of_groups.items())])


def _worker_families(workers: list[WorkerInfo]) -> Iterator[Metric]:
    """The counters of each worker. They are not summed over workers: the sum would fall when a worker leaves, and
    Prometheus takes a counter that falls for one that started again."""
    samples: defaultdict[str, list[_Sample]] = defaultdict(list)
    for worker in workers:
        for model, counters in worker.statistics.models.items():
            for record in (counters.jobs, counters.passes, counters.memory):
                for name, value in record or ():
                    if value is not None:
                        samples[f"attribution_worker_{name}"].append(_Sample((str(model), worker.id), value))
        for name, value in worker.statistics.device or ():
            samples[f"attribution_device_{name}"].append(_Sample((worker.device, worker.id), value))
    for name in sorted(samples):
        yield _family(names.ALL[name], samples[name])


def _family(definition: Definition, samples: Iterable[_Sample]) -> Metric:
    kind = CounterMetricFamily if definition.kind == "counter" else GaugeMetricFamily
    family = kind(definition.name, definition.help, labels=definition.labels)
    for labels, value in samples:
        family.add_metric(labels, float(value))
    return family
