"""Admin commands: load and unload models."""

from collections.abc import Iterable

from broker.gateway.async_connection import AsyncConnection
from broker.gateway.workers import WorkerRegistry
from schemas.model_key import ModelKey
from schemas.models import AdminAction


class AdminCommands:
    """Gives commands to all workers, and finds out whether they have executed them."""

    def __init__(self, connection: AsyncConnection, workers: WorkerRegistry) -> None:
        self._connection = connection
        self._workers = workers

    async def load(self, name: str, version: str | None = None) -> str:
        """Has the workers load a model's folders, all versions where none is named. Returns the id of the command."""
        return await self._give("load", name, version or "")

    async def unload(self, name: str, versions: Iterable[str]) -> str:
        """Unloads versions of a model: from now on no job for them is queued or started, and the workers fail those
        that wait. Returns the id of the command."""
        return await self._give("unload", name, "", *(str(ModelKey(name, version)) for version in versions))

    async def is_executed(self, command: str) -> bool:
        """Whether every live worker has executed the command; False when there is no worker."""
        workers = await self._workers.live()
        return bool(workers) and all(_sequence(worker.executed_command) >= _sequence(command) for worker in workers)

    async def _give(self, action: AdminAction, *arguments: str) -> str:
        keys = [self._connection.keys.unloaded, self._connection.keys.commands]
        command: bytes = await self._connection.run("admin_command", keys, action, *arguments)
        return command.decode()


def _sequence(command: str) -> tuple[int, int]:
    """The id of a command as numbers that grow with time: milliseconds, and a count within one."""
    time_ms, _, count = command.partition("-")
    return int(time_ms), int(count)
