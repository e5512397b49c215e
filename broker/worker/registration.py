"""A worker in the registry, with the cards of its models."""

from collections.abc import Iterable
from typing import Any

import orjson

from broker.card_names import HOLDING, SERVING, CardName, name_of
from broker.records import WorkerInfo
from broker.scripts import Argument
from broker.store_errors import store_errors
from broker.tuning import CARD_TTL_MS, OTHER_CARD_TTL_MS
from broker.worker.sync_connection import SyncConnection
from schemas.model_key import ModelKey
from schemas.models import ModelCard


class Registration:
    """Announces one worker and its models."""

    def __init__(self, connection: SyncConnection, worker_id: str) -> None:
        self._connection = connection
        self._keys = connection.keys
        self._worker_id = worker_id
        self._announced: frozenset[CardName] = frozenset()

    def announce(self, info: WorkerInfo, cards: list[ModelCard]) -> None:
        """Sends a heartbeat. The worker is forgotten after `WORKER_TTL_MS` without one.

        The card of a model that takes jobs is kept for `CARD_TTL_MS`, any other for `OTHER_CARD_TTL_MS`: a model that
        a worker no longer takes jobs for may sleep, or be served by others. The cards of one that the worker announced
        and does not know any more are withdrawn.
        """
        by_name = {name_of(card): card.model_dump_json() for card in cards}
        gone, models = self._announced - by_name.keys(), {name.model for name in by_name}
        withdrawn = {str(name) for name in gone if name.status not in SERVING or name.model not in models}
        ended = {str(name) for name in gone if name.status in SERVING}
        served = {str(name) for name in by_name if name.status in SERVING}
        held = _held(by_name)
        fields = [withdrawn, held, _held(self._announced) - held, served, ended]
        as_json = [orjson.dumps(sorted(field)) for field in fields]
        named: list[Argument] = []
        for name, text in by_name.items():
            named += [str(name), CARD_TTL_MS if name.status in SERVING else OTHER_CARD_TTL_MS, text]
        keys = [self._keys.workers, self._keys.worker(self._worker_id), self._keys.cards, self._keys.groups]
        told: list[Argument] = [self._worker_id, info.model_dump_json(), as_json[0], info.group, *as_json[1:]]
        self._connection.run("announce", keys, *told, *named)
        self._announced = frozenset(by_name)

    def retire(self) -> None:
        """Leaves the registry now. The cards stay for their time: other workers may hold the same models, or start when
        jobs come."""
        self._forget(self._worker_id)
        with store_errors(), self._connection.client.pipeline(transaction=False) as pipeline:
            for name in self._announced:
                pipeline.zrem(self._keys.servers(str(name)), self._worker_id)
            pipeline.execute()

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


def _held(names: Iterable[CardName]) -> set[str]:
    """The models that are served, or loaded."""
    return {str(name.model) for name in names if name.status in HOLDING}
