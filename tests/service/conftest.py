"""A gateway over a real Valkey, with a worker's double that computes on request."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from broker import JobStore
from service.app import create_app
from service.settings import GatewaySettings
from tests.servers import StoreServer
from tests.service.double import WorkerDouble

SETTINGS = GatewaySettings(max_body_bytes=2 * 1024 * 1024, max_wait_s=20)


@pytest.fixture
async def store(store_server: StoreServer, namespace: str) -> AsyncIterator[JobStore]:
    store = JobStore(store_server.url, namespace=namespace, queue_depth=3)
    yield store
    await store.close()


@pytest.fixture
def idle_worker(store_server: StoreServer, namespace: str) -> Iterator[WorkerDouble]:
    """Announced, and claiming nothing before `start`."""
    worker = WorkerDouble(store_server.url, namespace)
    yield worker
    worker.stop()


@pytest.fixture
def worker(idle_worker: WorkerDouble) -> WorkerDouble:
    idle_worker.start()
    return idle_worker


@pytest.fixture
async def client(store: JobStore) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store) as client:
        yield client


@asynccontextmanager
async def client_of(
    store: JobStore | None, settings: GatewaySettings = SETTINGS, root_path: str = ""
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application over this store; the lifespan runs as under a server."""
    application = create_app(settings, store)
    async with application.router.lifespan_context(application) as state:

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await application({**scope, "state": dict(state or {})}, receive, send)

        transport = httpx.ASGITransport(app, root_path=root_path)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            yield client
