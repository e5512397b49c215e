"""Two servers, and a store over both."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from broker import JobStore, NewJob, SeveralStores, WorkerQueue, id_ending
from tests.broker.helpers import MODEL, spec
from tests.servers import StoreKind, StoreServer

OTHER = "pictures"  # the name of the second store
MOVED = "labeller"  # the model that it has
Servers = tuple[StoreServer, StoreServer]
MakeQueues = Callable[[], tuple[WorkerQueue, WorkerQueue]]


@pytest.fixture(scope="session")
def shared_servers(kind: StoreKind, shared_server: StoreServer) -> Iterator[Servers]:
    """The default store's and the second one's, for tests that leave them running."""
    with StoreServer(kind) as second:
        yield shared_server, second


@pytest.fixture
def own_servers(kind: StoreKind) -> Iterator[Servers]:
    """For tests that stop one: ask for them before `several`, which then uses them."""
    with StoreServer(kind) as first, StoreServer(kind) as second:
        yield first, second


@pytest.fixture
def servers(request: pytest.FixtureRequest, kind: StoreKind) -> Servers:
    """The servers of this test."""
    name = "own_servers" if "own_servers" in request.fixturenames else "shared_servers"
    chosen: Servers = request.getfixturevalue(name)
    return chosen


@pytest.fixture
async def several(servers: Servers, namespace: str, anyio_backend: str) -> AsyncIterator[SeveralStores]:
    store = make_several(servers, namespace)
    yield store
    await store.close()


@pytest.fixture
def queues(servers: Servers, namespace: str) -> Iterator[tuple[WorkerQueue, WorkerQueue]]:
    """A worker's queue at each store."""
    with ExitStack() as stack:
        made = tuple(WorkerQueue(server.url, f"worker-{at}", namespace=namespace) for at, server in enumerate(servers))
        for queue in made:
            stack.callback(queue.close)
        yield made[0], made[1]


def make_several(servers: Servers, namespace: str, **options: Any) -> SeveralStores:
    default = JobStore(servers[0].url, namespace=namespace, **options)
    other = JobStore(servers[1].url, namespace=namespace, id_ending=id_ending(OTHER), **options)
    return SeveralStores(default, {OTHER: other}, {MOVED: OTHER})


def job(model: str = MODEL) -> NewJob:
    return NewJob(spec(model=model), b"input", rows=5)
