"""Jobs in Redis or Valkey: submit, claim, lease, progress, finish, cancel, and the registry of workers and models.

`JobStore` is the gateway's side (asyncio), `WorkerQueue` a worker's (threads). Each change is one Lua script, so a
crash leaves no job half done; each start writes a token, so a worker that lost its lease can write nothing.
`SeveralStores` is several `JobStore`s behind one interface, each with models of its own.
One Redis >= 6.2 or Valkey server, standalone or replicated, also behind Sentinel; Redis Cluster is refused at start.
"""

from broker.backlog import Backlog, Pace
from broker.gateway.admission import QueueBounds
from broker.gateway.comparisons import cell_idempotency
from broker.gateway.opened_result import OpenedResult
from broker.gateway.reports import QueueLoad, StoreReport
from broker.gateway.several.routes import id_ending
from broker.gateway.several.stores import SeveralStores, Store
from broker.gateway.store import JobStore
from broker.group_names import DEFAULT_GROUP
from broker.monitor_hash import MonitorRecord
from broker.records import (
    Claim,
    CommandBatch,
    ComparisonRecord,
    Content,
    FinishedJob,
    Idempotency,
    JobProgress,
    JobRecord,
    KeyLimits,
    LoadCommand,
    NewJob,
    StoredResult,
    Submitted,
    Waited,
    WorkAhead,
    WorkerInfo,
)
from broker.settings import StoreSettings
from broker.worker.monitors import FedMonitors, MonitorGone, WatchedMonitor, WindowParts
from broker.worker.queue import WorkerQueue

__all__ = [
    "DEFAULT_GROUP",
    "Backlog",
    "Claim",
    "CommandBatch",
    "ComparisonRecord",
    "Content",
    "FedMonitors",
    "FinishedJob",
    "Idempotency",
    "JobProgress",
    "JobRecord",
    "JobStore",
    "KeyLimits",
    "LoadCommand",
    "MonitorGone",
    "MonitorRecord",
    "NewJob",
    "OpenedResult",
    "Pace",
    "QueueBounds",
    "QueueLoad",
    "SeveralStores",
    "Store",
    "StoreReport",
    "StoreSettings",
    "StoredResult",
    "Submitted",
    "Waited",
    "WatchedMonitor",
    "WindowParts",
    "WorkAhead",
    "WorkerInfo",
    "WorkerQueue",
    "cell_idempotency",
    "id_ending",
]
