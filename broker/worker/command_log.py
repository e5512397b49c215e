"""Admin commands as workers read them."""

from typing import Any

import structlog

from broker.card_names import model_keys
from broker.records import NO_COMMAND, CommandBatch, LoadCommand
from broker.store_errors import store_errors
from broker.stored_job import NOT_READABLE
from broker.tuning import MAX_BLOCK_S
from broker.worker.sync_connection import SyncConnection
from schemas.model_key import ModelKey

log = structlog.get_logger(__name__)


class CommandLog:
    """The log of admin commands, and the models that are unloaded."""

    def __init__(self, connection: SyncConnection) -> None:
        self._connection = connection
        self._keys = connection.keys

    def latest(self) -> CommandBatch:
        """The latest command and the models that are unloaded; no commands to execute."""
        with store_errors():
            found: Any = self._connection.client.xrevrange(self._keys.commands, count=1)
            latest = found[0][0].decode() if found else NO_COMMAND
            return CommandBatch(latest, {}, self._unloaded())

    def read(self, after: str, block_ms: int = 0) -> CommandBatch:
        """The commands given after the one with this id; waits up to `block_ms` for the first."""
        block_ms = max(1, min(block_ms, int(MAX_BLOCK_S * 1000)))
        with store_errors():
            reply: Any = self._connection.blocking.xread({self._keys.commands: after}, block=block_ms)
            entries = reply[0][1] if reply else []
            loads = {
                entry.decode(): LoadCommand(fields[b"model"].decode(), fields[b"version"].decode() or None)
                for entry, fields in entries
                if _is_load(fields)
            }
            latest = entries[-1][0].decode() if entries else after
            return CommandBatch(latest, loads, self._unloaded())

    def _unloaded(self) -> frozenset[ModelKey]:
        """Read after the commands, so that it includes their effect."""
        models: Any = self._connection.client.smembers(self._keys.unloaded)
        return model_keys(models)


def _is_load(fields: dict[bytes, bytes]) -> bool:
    """Whether this is a command to load a model that this version can read; others have no effect here, or are seen by
    theirs."""
    try:
        fields[b"model"].decode(), fields[b"version"].decode()
    except NOT_READABLE:
        log.warning("admin_command_unreadable")
        return False
    return fields.get(b"action") == b"load"
