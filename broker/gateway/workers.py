"""Workers that have announced themselves."""

from typing import Any

from broker.gateway.async_connection import AsyncConnection
from broker.records import WorkerInfo


class WorkerRegistry:
    """The workers of a store."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._keys = connection.keys

    async def live(self) -> list[WorkerInfo]:
        """The workers that announced themselves within the last seconds, by id."""
        async with self._connection.guard():
            members: Any = await self._connection.client.zrange(self._keys.workers, 0, -1)
        names = sorted(member.decode() for member in members)
        blobs = await self._connection.values([self._keys.worker(name) for name in names])
        return [WorkerInfo.model_validate_json(blob) for blob in blobs if blob is not None]
