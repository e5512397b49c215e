"""Workers that have announced themselves."""

from typing import Any

import structlog
from pydantic import ValidationError

from broker.gateway.async_connection import AsyncConnection
from broker.records import WorkerInfo

log = structlog.get_logger(__name__)


class WorkerRegistry:
    """The workers of a store."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._keys = connection.keys

    async def live(self) -> list[WorkerInfo]:
        """The workers that announced themselves within the last seconds, by id; without those whose record cannot be
        read."""
        async with self._connection.guard():
            members: Any = await self._connection.client.zrange(self._keys.workers, 0, -1)
        names = sorted(member.decode(errors="replace") for member in members)
        blobs = await self._connection.values([self._keys.worker(name) for name in names])
        workers = []
        for name, blob in zip(names, blobs, strict=True):
            try:
                workers += [] if blob is None else [WorkerInfo.model_validate_json(blob)]
            except ValidationError as error:
                log.warning("worker_record_unreadable", worker=name, errors=error.error_count())
        return workers
