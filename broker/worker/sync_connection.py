"""One worker's access to Redis: clients, the names of keys, and the scripts."""

from collections.abc import Mapping, Sequence
from typing import Any

from broker.clients import close_sync, sync_client
from broker.keys import Keys
from broker.scripts import Argument, ScriptCall, Scripts
from broker.store_errors import store_errors
from broker.tuning import MAX_BLOCK_S


class SyncConnection:
    """Shared by the parts of a `WorkerQueue`, and by threads. Every call raises `StoreUnavailable` when Redis is away.

    Attributes:
        client: for commands that return at once.
        blocking: for reads that block up to `MAX_BLOCK_S`, and so return that much later.
    """

    def __init__(self, url: str, namespace: str, timeout_s: float) -> None:
        self.keys = Keys(namespace)
        self.timeout_s = timeout_s
        self.client = sync_client(url, timeout_s)
        self.blocking = sync_client(url, MAX_BLOCK_S + timeout_s)
        self._scripts = Scripts(self.keys)

    def run(self, script: str, keys: Sequence[str], *arguments: Argument) -> Any:
        """Runs a script and returns its reply."""
        with store_errors():
            return self._scripts.run(self.client, script, ScriptCall(keys, arguments))

    def run_each(
        self, script: str, calls: Sequence[ScriptCall], values: Mapping[str, bytes], ttl_s: int
    ) -> tuple[list[Any], list[Any]]:
        """`Scripts.run_each`: sets values, and runs a script for each call, in one round trip."""
        with store_errors():
            return self._scripts.run_each(self.client, script, calls, values, ttl_s)

    def close(self) -> None:
        """Closes every connection."""
        close_sync(self.client)
        close_sync(self.blocking)
