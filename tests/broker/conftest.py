"""Every test of the broker runs on each kind of server that is installed."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from typing import Any

import pytest
import redis

from broker import JobStore, WorkerQueue
from tests.servers import StoreKind, StoreServer, installed_stores

MakeStore = Callable[..., JobStore]
MakeQueue = Callable[..., WorkerQueue]


@pytest.fixture(scope="session", params=installed_stores())
def kind(request: pytest.FixtureRequest) -> StoreKind:
    chosen: StoreKind = request.param
    return chosen


@pytest.fixture(scope="session")
def shared_server(kind: StoreKind) -> Iterator[StoreServer]:
    """For tests that only put keys of their own namespace into it."""
    with StoreServer(kind) as server:
        yield server


@pytest.fixture
def own_server(kind: StoreKind) -> Iterator[StoreServer]:
    """For tests that stop, pause or fill it: ask for it before `make_store` and `make_queue`, which then use it."""
    with StoreServer(kind) as server:
        yield server


@pytest.fixture
def server(request: pytest.FixtureRequest, kind: StoreKind) -> StoreServer:
    """The server of this test."""
    name = "own_server" if "own_server" in request.fixturenames else "shared_server"
    chosen: StoreServer = request.getfixturevalue(name)
    return chosen


@pytest.fixture
def raw(server: StoreServer) -> Iterator[redis.Redis]:
    """A plain client, to look behind the broker."""
    with redis.Redis.from_url(server.url, decode_responses=True) as client:
        yield client


@pytest.fixture
async def make_store(server: StoreServer, namespace: str, anyio_backend: str) -> AsyncIterator[MakeStore]:
    """Stores of this test's namespace, closed at its end."""
    async with AsyncExitStack() as stack:

        def make(**options: Any) -> JobStore:
            store = JobStore(server.url, namespace=namespace, **options)
            stack.push_async_callback(store.close)
            return store

        yield make


@pytest.fixture
async def store(make_store: MakeStore) -> JobStore:
    return make_store()


@pytest.fixture
def make_queue(server: StoreServer, namespace: str) -> Iterator[MakeQueue]:
    """Workers' queues of this test's namespace, closed at its end."""
    with ExitStack() as stack:

        def make(worker_id: str = "worker-1", **options: Any) -> WorkerQueue:
            queue = WorkerQueue(server.url, worker_id, namespace=namespace, **options)
            stack.callback(queue.close)
            return queue

        yield make


@pytest.fixture
def queue(make_queue: MakeQueue) -> WorkerQueue:
    return make_queue()
