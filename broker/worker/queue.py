"""A worker's side of the job store, put together."""

import threading
from collections.abc import Callable

from broker.worker.cancellations import listen
from broker.worker.claimed_jobs import ClaimedJobs
from broker.worker.claims import Claims
from broker.worker.command_log import CommandLog
from broker.worker.idle_workers import IdleWorkers
from broker.worker.measurements import Measurements
from broker.worker.monitors import FedMonitors
from broker.worker.registration import Registration
from broker.worker.sync_connection import SyncConnection
from broker.worker.waiting_jobs import WaitingJobs


class WorkerQueue:
    """Jobs in Redis, for one worker; any of its threads may call any method, `claims.take` one at a time.

    Every method of every part raises `StoreUnavailable` when Redis is away; the caller tries again. Only
    `claimed_jobs.finish` raises `StoreFull`: everything else frees memory, or takes none, and goes on without.

    Args:
        url: of the Redis or Valkey server.
        worker_id: unique among workers.
        namespace: first part of every key.
        lease_ms: a claimed job that is not renewed for so long goes to another worker.
        result_ttl_s: how long a job that has ended is kept.
        max_attempts: workers that may die on a job before it is failed.
        timeout_s: of one call.
    """

    def __init__(
        self,
        url: str,
        worker_id: str,
        *,
        namespace: str = "attribution",
        lease_ms: int = 8000,
        result_ttl_s: int = 3600,
        max_attempts: int = 3,
        timeout_s: float = 5.0,
    ) -> None:
        self._connection = SyncConnection(url, namespace, timeout_s)
        self.registration = Registration(self._connection, worker_id)
        self.claimed_jobs = ClaimedJobs(self._connection, result_ttl_s, lease_ms, max_attempts)
        self.claims = Claims(self._connection, self.claimed_jobs, worker_id, lease_ms, result_ttl_s, max_attempts)
        self.idle_workers = IdleWorkers(self._connection, worker_id)
        self.waiting_jobs = WaitingJobs(self._connection, lease_ms, result_ttl_s)
        self.commands = CommandLog(self._connection)
        self.measurements = Measurements(self._connection)
        self.monitors = FedMonitors(self._connection, worker_id)

    def listen_cancelled(self, callback: Callable[[str], None], stop: threading.Event) -> None:
        """Calls back with the id of each running job that is cancelled, until `stop` is set; for a thread of its own.

        It never raises when Redis is away, but reconnects. Jobs that are cancelled meanwhile are found by
        `claimed_jobs.renew`.
        """
        make_connection = self._connection.client.connection_pool.make_connection
        listen(make_connection, self._connection.keys.cancelled, self._connection.timeout_s, callback, stop)

    def close(self) -> None:
        """Closes every connection."""
        self._connection.close()
