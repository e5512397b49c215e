"""One gateway's access to Redis: a client, the names of keys, and the scripts."""

from collections.abc import Sequence
from typing import Any

from broker.clients import async_client, close_async
from broker.keys import Keys
from broker.scripts import Argument, ScriptCall, Scripts
from broker.store_errors import StoreGuard


class AsyncConnection:
    """Shared by the parts of a `JobStore`.

    Every call raises `StoreUnavailable` within `timeout_s` when Redis is away, and `StoreFull` when it refuses to store
    for lack of memory.
    """

    def __init__(self, url: str, namespace: str, timeout_s: float) -> None:
        self.keys = Keys(namespace)
        self.client = async_client(url, timeout_s)
        self.timeout_s = timeout_s
        self._scripts = Scripts(self.keys)

    def guard(self) -> StoreGuard:
        """The errors and the time limit of calls of `client`."""
        return StoreGuard(self.timeout_s)

    async def run(self, script: str, keys: Sequence[str], *arguments: Argument) -> Any:
        """Runs a script and returns its reply."""
        async with self.guard():
            return await self._scripts.run_async(self.client, script, ScriptCall(keys, arguments))

    async def values(self, keys: Sequence[str]) -> list[bytes | None]:
        """The value of each key, None where it has expired."""
        if not keys:
            return []
        async with self.guard():
            blobs: Any = await self.client.mget(keys)
        return list(blobs)

    async def ping(self) -> None:
        """Raises `StoreUnavailable` unless Redis answers."""
        async with self.guard():
            await self.client.ping()

    async def close(self) -> None:
        """Closes every connection."""
        await close_async(self.client)
