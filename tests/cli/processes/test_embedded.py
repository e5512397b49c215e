"""The embedded Valkey."""

import asyncio
import os
import signal
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import redis

from cli.processes.embedded import EmbeddedStore
from cli.processes.supervisor import Supervisor

LIMIT_S = 20.0


def with_store(use: Callable[[EmbeddedStore, Supervisor], Awaitable[None]]) -> EmbeddedStore:
    """Runs `use` while the store is open. Returns the closed store."""

    async def main() -> None:
        async with asyncio.timeout(LIMIT_S), Supervisor() as supervisor:
            supervisor.start(store.program())
            await store.answering()
            await use(store, supervisor)

    store = EmbeddedStore()
    try:
        asyncio.run(main())
    finally:
        store.close()
    return store


def socket_of(store: EmbeddedStore) -> Path:
    return Path(unquote(urlsplit(store.url).path))


def test_it_answers_only_to_the_password() -> None:
    async def use(store: EmbeddedStore, _: Supervisor) -> None:
        with redis.from_url(store.url) as client:
            assert client.set("key", "value")
        with (
            redis.Redis(unix_socket_path=str(socket_of(store))) as stranger,
            pytest.raises(redis.AuthenticationError),
        ):
            stranger.get("key")

    with_store(use)


def test_only_the_owner_may_enter_its_folder_and_no_port_is_open() -> None:
    async def use(store: EmbeddedStore, _: Supervisor) -> None:
        folder = socket_of(store).parent
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
        with redis.from_url(store.url, decode_responses=True) as client:
            assert client.config_get("port") == {"port": "0"}

    with_store(use)


def test_it_keeps_nothing_on_disk_and_bounds_its_memory() -> None:
    async def use(store: EmbeddedStore, _: Supervisor) -> None:
        with redis.from_url(store.url, decode_responses=True) as client:
            settings = client.config_get("save", "appendonly", "maxmemory", "maxmemory-policy")
        assert settings["save"] == ""
        assert settings["appendonly"] == "no"
        assert int(settings["maxmemory"]) >= 256 * 2**20
        assert settings["maxmemory-policy"] == "noeviction"

    with_store(use)


def test_it_leaves_nothing_behind() -> None:
    async def use(store: EmbeddedStore, supervisor: Supervisor) -> None:
        pids.extend(child.pid for child in supervisor.children if child.pid)

    pids: list[int] = []
    store = with_store(use)
    assert not socket_of(store).parent.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


def test_after_a_crash_it_answers_at_the_same_address() -> None:
    async def use(store: EmbeddedStore, supervisor: Supervisor) -> None:
        with redis.from_url(store.url) as client:
            first = client.info("server")["process_id"]
        os.kill(first, signal.SIGKILL)
        while True:
            try:
                await store.answering()
                with redis.from_url(store.url) as client:
                    assert client.info("server")["process_id"] != first
                return
            except redis.ConnectionError:  # seen in the instant before the old socket closed
                continue

    with_store(use)
