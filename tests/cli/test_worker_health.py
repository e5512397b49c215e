"""`attribution worker --health`: one worker's own heartbeat, not that of any."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from broker import WorkerInfo, WorkerQueue
from tests.servers import StoreServer

NOBODY = 2**22 + 1  # above the largest id that Linux gives to a process


@pytest.fixture
def queue(store_server: StoreServer, namespace: str) -> Iterator[WorkerQueue]:
    queue = WorkerQueue(store_server.url, "worker-7", namespace=namespace)
    yield queue
    queue.close()


def announce(queue: WorkerQueue, host: str | None = None, pid: int | None = None) -> None:
    info = WorkerInfo(
        id="worker-7",
        device="cpu",
        host=host or socket.gethostname(),
        pid=os.getpid() if pid is None else pid,
        started_ms=0,
        models=[],
    )
    queue.registration.announce(info, [])


def health(store: StoreServer, namespace: str, **variables: str) -> tuple[int, str]:
    """Exit code and message."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ATTRIBUTION_")}
    clean |= {"ATTRIBUTION_REDIS_URL": store.url, "ATTRIBUTION_NAMESPACE": namespace, **variables}
    command = [sys.executable, "-P", "-m", "cli", "worker", "--health"]
    done = subprocess.run(command, env=clean, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stderr


def test_its_heartbeat_is_seen_until_it_stops(store_server: StoreServer, namespace: str, queue: WorkerQueue) -> None:
    code, message = health(store_server, namespace)
    assert code == 1
    assert "no heartbeat" in message
    announce(queue)
    assert health(store_server, namespace) == (0, "")
    queue.registration.retire()
    assert health(store_server, namespace)[0] == 1


def test_the_heartbeats_of_others_do_not_count(store_server: StoreServer, namespace: str, queue: WorkerQueue) -> None:
    announce(queue, host="another-host")
    assert health(store_server, namespace)[0] == 1
    announce(queue, pid=NOBODY)  # of this host's name, but its process is gone, or in another container
    assert health(store_server, namespace)[0] == 1


def test_a_worker_with_a_name_is_known_by_it(store_server: StoreServer, namespace: str, queue: WorkerQueue) -> None:
    announce(queue, host="another-host", pid=NOBODY)
    assert health(store_server, namespace, ATTRIBUTION_WORKER_ID="worker-7") == (0, "")
    assert health(store_server, namespace, ATTRIBUTION_WORKER_ID="worker-8")[0] == 1
