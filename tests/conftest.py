"""Fixtures shared by all tests."""

import os
import secrets
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.scheduling import ByService, group_of, place
from tests.servers import StoreServer

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the workers set it; must stand before torch is imported
os.environ.setdefault("GOMP_SPINCOUNT", "0")  # several processes at once have the cores here: none may spin

EXPORT_TIMEOUT_S = 15.0  # the exporter's own is 10

settings.register_profile("tests", deadline=None)  # a busy machine is no failure
settings.load_profile("tests")


@pytest.fixture(scope="session")
def store_server() -> Iterator[StoreServer]:
    """One Valkey for the whole session. A test that stops, pauses or fills a server starts its own."""
    with StoreServer("valkey") as server:
        yield server


@pytest.fixture(scope="session")
def measurements(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """What loads of the shipped models have measured, for all tests of the run that are not about loading."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "measurements"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(autouse=True)
def spans_are_no_longer_sent() -> Iterator[None]:
    """Fails a test that leaves a tracer open: its thread draws from `random`, which fails later tests.

    Hypothesis allows no other draws during its own. A thread that waits for a response ends with its receiver.
    """
    yield
    for thread in threading.enumerate():
        if thread.name.startswith("OtelBatch"):
            thread.join(EXPORT_TIMEOUT_S)
            assert not thread.is_alive(), "the tracer of this test was not closed"


@pytest.fixture
def namespace() -> str:
    """A key prefix that no other test uses."""
    return f"test-{secrets.token_hex(6)}"


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests (`@pytest.mark.anyio`) run only on asyncio, as the service does."""
    return "asyncio"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByService | None:
    """Keeps the tests of a service together, under `--dist loadfile`."""
    return ByService(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sorts files by how long they take. Of two tests with one name pytest-xdist would run one without a word."""
    several = [name for name, count in Counter(item.nodeid for item in items).items() if count > 1]
    if several:
        raise pytest.UsageError(f"several tests have the name {several[0]}")
    for item in items:
        if " at 0x" in item.nodeid:
            raise pytest.UsageError(f"each process would name this test otherwise, by an address: {item.nodeid}")
    slow = {group_of(item.nodeid) for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: place(item.nodeid, group_of(item.nodeid) in slow))


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes are called by their argument. Compressed ones may hold the time, and processes must name tests alike."""
    return argname if isinstance(val, bytes) else None
