"""A pool that holds one small model, and both sides of a job store."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from broker import JobStore, WorkerQueue
from tests.servers import StoreServer
from tests.workers.jobs.net import ENTERED, KEY, OPEN, write_net
from tests.workers.toys import CPU
from workers.engine.gate import DeviceGate
from workers.models.load import Device, ResidentModel
from workers.models.pool import ModelPool

BATCH_ROWS = 16


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelPool]:
    directory: Path = tmp_path_factory.mktemp("models")
    write_net(directory)
    pool = ModelPool([directory], Device(CPU, 1, BATCH_ROWS, DeviceGate()))
    pool.start()
    yield pool
    OPEN.set()
    pool.stop()


@pytest.fixture
def model(pool: ModelPool) -> ResidentModel:
    ENTERED.clear()
    OPEN.clear()
    return pool.resident()[KEY]


@pytest.fixture
async def store(store_server: StoreServer, namespace: str, anyio_backend: str) -> AsyncIterator[JobStore]:
    store = JobStore(store_server.url, namespace=namespace)
    yield store
    await store.close()


@pytest.fixture
def queue(store_server: StoreServer, namespace: str) -> Iterator[WorkerQueue]:
    queue = WorkerQueue(store_server.url, "worker-1", namespace=namespace)
    yield queue
    queue.close()
