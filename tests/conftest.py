"""Fixtures shared by all tests."""

import os
import secrets
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.servers import StoreServer

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the workers set it; must stand before torch is imported
os.environ.setdefault("GOMP_SPINCOUNT", "0")  # several processes at once have the cores here: none may spin

settings.register_profile("tests", deadline=None)  # a busy machine is no failure
settings.load_profile("tests")


@pytest.fixture(scope="session")
def store_server() -> Iterator[StoreServer]:
    """One Valkey for the whole session. A test that stops, pauses or fills a server starts its own."""
    with StoreServer("valkey") as server:
        yield server


@pytest.fixture
def namespace() -> str:
    """A key prefix that no other test uses."""
    return f"test-{secrets.token_hex(6)}"


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests (`@pytest.mark.anyio`) run only on asyncio, as the service does."""
    return "asyncio"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Starts files with a slow test first, so that one process does not run one at the end while the other is idle."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
    several = [name for name, count in Counter(item.nodeid for item in items).items() if count > 1]
    if several:  # pytest-xdist would run one of them and leave out the others without a word
        raise pytest.UsageError(f"several tests have the name {several[0]}")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes are called by their argument. Compressed ones may hold the time, and processes must name tests alike."""
    return argname if isinstance(val, bytes) else None
