"""What the job store knows for operators: its queues, its fill, and the counters that are kept in it."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from broker.backlog import Backlog, backlogs
from broker.gateway.admission import NO_BOUND
from broker.gateway.async_connection import AsyncConnection
from broker.gateway.jobs import StoredJobs
from broker.gateway.models import ModelRegistry
from broker.gateway.monitors import StoredMonitors
from schemas.model_key import ModelKey
from schemas.monitors import Statistic


class QueueLoad(NamedTuple):
    """What the waiting and running jobs of one model hold.

    Attributes:
        jobs: how many there are.
        rows: of the model that they are expected to take; those that wait for another job's result take none.
        seconds: that these rows take at the pace of all workers of the model when each was queued.
    """

    jobs: int
    rows: int
    seconds: float


class StoreReport(NamedTuple):
    """The job store at one moment.

    Attributes:
        queues: of every model that ever had a job; zeros for one whose queue is empty.
        measured: the counters of each of these models, by series as `schemas.telemetry` names them.
        used_bytes: that jobs hold of the store.
        budget_bytes: that they may hold; None where it has no bound.
        drift: the figures of each monitor whose first window is full, by its name among all keys'.
        backlogs: of every model that is known or ever had a job, at each group that holds it.
        is_whole: False where one of several stores is away, whose part is missing.
    """

    queues: dict[ModelKey, QueueLoad]
    measured: dict[ModelKey, dict[str, str]]
    used_bytes: int
    budget_bytes: int | None
    drift: Mapping[str, Mapping[Statistic, float]] = MappingProxyType({})
    backlogs: Sequence[Backlog] = ()
    is_whole: bool = True


class StoreReports:
    """Reports of a store."""

    def __init__(
        self, connection: AsyncConnection, jobs: StoredJobs, monitors: StoredMonitors, models: ModelRegistry
    ) -> None:
        self._connection = connection
        self._keys = connection.keys
        self._jobs = jobs
        self._monitors = monitors
        self._models = models

    async def read(self) -> StoreReport:
        """The report of this moment. Raises `StoreUnavailable`."""
        budget_bytes = await self._jobs.budget.bytes()
        jobs = await self._jobs.backlog()
        drift = await self._monitors.figures()
        registry = await self._models.registry()
        known = sorted({*jobs, *(name.model for name in registry.names())})
        async with self._connection.guard(), self._connection.client.pipeline(transaction=False) as pipeline:
            pipeline.hgetall(self._keys.load)
            for model in known:
                pipeline.hgetall(self._keys.pace(str(model)))
            for model in jobs:
                pipeline.hgetall(self._keys.measured(str(model)))
            load, *hashes = await pipeline.execute()
        paces, counters = hashes[: len(known)], hashes[len(known) :]
        queues = {
            model: QueueLoad(count, _number(load, f"rows {model}"), _number(load, f"work_ms {model}") / 1e3)
            for model, count in jobs.items()
        }
        waiting: list[Backlog] = []
        for model, pace in zip(known, paces, strict=True):
            queue = queues.get(model, QueueLoad(0, 0, 0.0))
            waiting += backlogs(model, queue.jobs, queue.rows, _texts(pace), registry.groups.of_model(model))
        return StoreReport(
            queues,
            {model: _texts(series) for model, series in zip(jobs, counters, strict=True)},
            _number(load, "store"),
            None if budget_bytes >= NO_BOUND else budget_bytes,
            drift,
            waiting,
        )

    async def backlog(self, model: ModelKey) -> list[Backlog]:
        """That of one model at each group that holds it. Raises `StoreUnavailable`."""
        groups = (await self._models.registry()).groups.of_model(model)
        async with self._connection.guard(), self._connection.client.pipeline(transaction=False) as pipeline:
            pipeline.hget(self._keys.load, f"rows {model}")
            pipeline.hgetall(self._keys.pace(str(model)))
            for stream in self._keys.streams(model):
                pipeline.xlen(stream)
            rows, pace, *lengths = await pipeline.execute()
        load = {} if rows is None else {b"rows": rows}
        return backlogs(model, sum(lengths), _number(load, "rows"), _texts(pace), groups)


def _texts(series: dict[bytes, bytes]) -> dict[str, str]:
    return {name.decode(errors="replace"): value.decode(errors="replace") for name, value in series.items()}


def _number(load: dict[bytes, bytes], name: str) -> int:
    """A counter of what all jobs hold; 0 for one that is absent, or damaged."""
    text = load.get(name.encode(), b"0")
    return max(0, int(text)) if text.lstrip(b"-").isdigit() else 0
