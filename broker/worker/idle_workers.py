"""Other workers that have nothing to do."""

from collections.abc import Sequence

from broker.worker.sync_connection import SyncConnection
from schemas.model_key import ModelKey


class IdleWorkers:
    """Workers whose last claim found no job, and who had none."""

    def __init__(self, connection: SyncConnection, worker_id: str) -> None:
        self._connection = connection
        self._worker_id = worker_id

    def count(self, models: Sequence[ModelKey]) -> dict[ModelKey, int]:
        """How many others could take jobs of each model now. Raises `StoreUnavailable` when Redis is away."""
        if not models:
            return {}
        counts = self._connection.run("idle", [], self._worker_id, *map(str, models))
        return dict(zip(models, map(int, counts), strict=True))
