"""Both sides of a job store. Captum is changed as in a worker, so that direct calls of it are the service's."""

from collections.abc import AsyncIterator, Iterator

import pytest

from broker import JobStore, WorkerQueue
from tests.servers import StoreServer
from workers.methods.captum_changes import install

install()


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
