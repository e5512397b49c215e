"""A worker in the registry, with the cards of its models."""

from typing import Any

import orjson

from broker.card_names import name_of
from broker.records import WorkerInfo
from broker.store_errors import store_errors
from broker.worker.sync_connection import SyncConnection
from schemas.model_key import ModelKey
from schemas.models import ModelCard


class Registration:
    """Announces one worker and its models."""

    def __init__(self, connection: SyncConnection, worker_id: str) -> None:
        self._connection = connection
        self._keys = connection.keys
        self._worker_id = worker_id
        self._announced: frozenset[str] = frozenset()  # names of cards

    def announce(self, info: WorkerInfo, cards: list[ModelCard]) -> None:
        """Sends a heartbeat. The worker is forgotten after `WORKER_TTL_MS` without one, its cards after
        `CARD_TTL_MS`."""
        by_name = {str(name_of(card)): card.model_dump_json() for card in cards}
        withdrawn = orjson.dumps(sorted(self._announced - by_name.keys()))
        keys = [self._keys.workers, self._keys.worker(self._worker_id), self._keys.cards]
        named = [part for pair in by_name.items() for part in pair]
        self._connection.run("announce", keys, self._worker_id, info.model_dump_json(), withdrawn, *named)
        self._announced = frozenset(by_name)

    def retire(self) -> None:
        """Leaves the registry now. The cards stay for their time: other workers may hold the same models."""
        self._forget(self._worker_id)

    def inherit(self, worker_id: str) -> int:
        """Gives back the jobs of a worker whose process is known to be gone, so that they need not wait for their
        leases, and removes it from the registry. Returns how many jobs there were."""
        with store_errors():
            models: Any = self._connection.client.smembers(self._keys.queues)
        keys = [stream for model in models for stream in self._keys.streams(ModelKey.parse(model.decode()))]
        count = int(self._connection.run("inherit", keys, worker_id)) if keys else 0
        self._forget(worker_id)
        return count

    def _forget(self, worker_id: str) -> None:
        with store_errors():
            self._connection.client.zrem(self._keys.workers, worker_id)
            self._connection.client.delete(self._keys.worker(worker_id))
