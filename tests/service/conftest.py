"""A gateway over a real Valkey, with a double of a worker that computes when a test starts it."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import redis

from broker import JobStore
from schemas.telemetry.spans import Tracer
from service.app import create_app
from service.settings import GatewaySettings
from tests.servers import StoreServer
from tests.service.double import WorkerDouble
from tests.service.server import Server

SETTINGS = GatewaySettings(max_body_bytes=2 * 1024 * 1024, max_wait_s=20)


@pytest.fixture
async def store(store_server: StoreServer, namespace: str) -> AsyncIterator[JobStore]:
    store = JobStore(store_server.url, namespace=namespace, queue_depth=3, timeout_s=10)
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
    store: JobStore | None, settings: GatewaySettings = SETTINGS, root_path: str = "", tracer: Tracer | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application over this store; the lifespan runs as under a server."""
    application = create_app(settings, store, tracer)
    async with application.router.lifespan_context(application) as state:

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await application({**scope, "state": dict(state or {})}, receive, send)

        transport = httpx.ASGITransport(app, root_path=root_path)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            yield client


@pytest.fixture
def served(store_server: StoreServer) -> Iterator[tuple[httpx.Client, WorkerDouble]]:
    """A gateway behind a real server, on a store of its own database, and a worker that has not started."""
    url = store_server.url.removesuffix("/0") + "/7"
    with redis.Redis.from_url(url) as database:
        database.flushdb()
    worker = WorkerDouble(url, "attribution")
    settings = GatewaySettings(redis_url=url, max_body_bytes=100_000)
    with Server(create_app(settings)) as server, httpx.Client(base_url=server.url, timeout=20) as client:
        yield client, worker
    worker.stop()


async def finished(client: httpx.AsyncClient, body: Mapping[str, object]) -> str:
    """The id of a job for this request, after the job has ended."""
    answer = await client.post("/explain?wait=15", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] in {"succeeded", "failed"}
    return str(answer.json()["id"])
