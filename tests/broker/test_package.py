"""What the package shows, and what it must not drag in."""

import subprocess
import sys

import broker


def test_the_public_names() -> None:
    assert broker.__all__ == [
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


def test_it_imports_neither_torch_nor_fastapi() -> None:
    check = "import sys, broker; sys.exit(bool({'torch', 'fastapi'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", check], check=True)
