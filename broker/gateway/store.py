"""The gateway's side of the job store, put together."""

from collections.abc import Callable, Collection

from broker.gateway.admin_commands import AdminCommands
from broker.gateway.admission import QueueBounds
from broker.gateway.async_connection import AsyncConnection
from broker.gateway.comparisons import StoredComparisons
from broker.gateway.job_events import JobEvents
from broker.gateway.jobs import StoredJobs
from broker.gateway.models import ModelRegistry
from broker.gateway.monitors import StoredMonitors
from broker.gateway.reports import StoreReports
from broker.gateway.results import StoredResults
from broker.gateway.workers import WorkerRegistry


class JobStore:
    """Jobs, results, models and workers in Redis, for one event loop.

    Every method of every part raises `StoreUnavailable` within `timeout_s` when Redis is away, and `StoreFull` when it
    refuses to store for lack of memory. A call that failed so may be repeated; only `jobs.submit` needs an idempotency
    key for that.

    Args:
        url: of the Redis or Valkey server.
        namespace: first part of every key; deployments that share a server use different ones.
        bounds: of what jobs may hold at a time.
        queue_depth: jobs of one model that may wait or run; takes the place of `bounds.depth`.
        timeout_s: of one call.
        result_ttl_s: how long a job that is cancelled here is kept; workers set it for the others.
        on_death: called when a part of the store can serve no more, so that the process has to be replaced.
        id_ending: of the ids of jobs and comparisons that are made here; letters, digits, `-` and `_`.
    """

    def __init__(
        self,
        url: str,
        *,
        namespace: str = "attribution",
        bounds: QueueBounds = QueueBounds(),  # noqa: B008  # immutable
        queue_depth: int | None = None,
        timeout_s: float = 2.0,
        result_ttl_s: int = 3600,
        on_death: Callable[[], None] = lambda: None,
        id_ending: str = "",
    ) -> None:
        self._connection = AsyncConnection(url, namespace, timeout_s)
        self._events = JobEvents(self._connection, on_death)
        bounds = bounds if queue_depth is None else bounds._replace(depth=queue_depth)
        self.jobs = StoredJobs(self._connection, self._events, bounds, result_ttl_s, id_ending)
        self.results = StoredResults(self._connection)
        self.comparisons = StoredComparisons(self._connection, id_ending)
        self.models = ModelRegistry(self._connection)
        self.workers = WorkerRegistry(self._connection)
        self.monitors = StoredMonitors(self._connection)
        self.reports = StoreReports(self._connection, self.jobs, self.monitors, self.models)
        self.admin_commands = AdminCommands(self._connection, self.workers)

    def comparisons_of(self, models: Collection[str]) -> StoredComparisons:
        """Where a comparison of these models is kept."""
        return self.comparisons

    async def ping(self) -> None:
        """Raises `StoreUnavailable` unless Redis answers."""
        await self._connection.ping()

    async def ping_all(self) -> None:
        """As `ping`; of several stores, all must answer."""
        await self.ping()

    async def close(self) -> None:
        """Closes every connection; watches end with `StoreUnavailable`."""
        await self._events.close()
        await self._connection.close()
