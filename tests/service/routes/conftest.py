"""A gateway process with the default settings, whose memory is measured, and a worker's double."""

import os
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from tests.servers import StoreServer, free_port
from tests.service.double import WorkerDouble
from tests.service.routes.measured import HANGS_S, MeasuredGateway
from workers.monitors.keeper import MonitorKeeper
from workers.monitors.watching import Watching


@pytest.fixture
def measured_gateway(store_server: StoreServer, namespace: str) -> Iterator[MeasuredGateway]:
    port = free_port()
    settings = {"ATTRIBUTION_REDIS_URL": store_server.url, "ATTRIBUTION_NAMESPACE": namespace, "ATTRIBUTION_CACHE": "0"}
    command = [sys.executable, "-m", "cli", "gateway", "--port", str(port)]
    worker = WorkerDouble(store_server.url, namespace)
    worker.start()
    process = subprocess.Popen(command, env={**os.environ, **settings})
    url = f"http://127.0.0.1:{port}"
    with httpx.Client(transport=httpx.HTTPTransport(retries=12)) as client:  # retries back off until it listens
        client.get(f"{url}/healthz")
    yield MeasuredGateway(url, process.pid)
    process.terminate()
    process.wait(HANGS_S)
    worker.stop()


@pytest.fixture
def keeper(idle_worker: WorkerDouble) -> MonitorKeeper:
    """A worker's part, beside the double that computes."""
    return MonitorKeeper(idle_worker.queue.monitors, Watching())
