"""What a worker adds to the counters that operators read."""

from collections.abc import Mapping

from broker.worker.sync_connection import SyncConnection
from schemas.model_key import ModelKey


class Measurements:
    """Counters of models in the job store, where they outlive the worker."""

    def __init__(self, connection: SyncConnection) -> None:
        self._connection = connection
        self._keys = connection.keys

    def add(self, model: ModelKey, counts: Mapping[str, float], exemplars: Mapping[str, str]) -> None:
        """Adds to series, and replaces exemplars; both by the names that `schemas.telemetry` gives them. A call whose
        reply is lost has counted all the same.

        Raises:
            StoreUnavailable: Redis is away.
            StoreFull: it has no room for a new series; nothing was added.
        """
        pairs = [part for name, amount in counts.items() for part in (name, repr(amount))]
        texts = [part for pair in exemplars.items() for part in pair]
        self._connection.run("measure", [self._keys.measured(str(model))], len(counts), *pairs, *texts)

    def tell_pace(self, model: ModelKey, group: str, rows: float, busy_s: float) -> None:
        """Adds to the pace of one worker of a group: rows that jobs were expected to take, and the seconds that this
        worker spent on them.

        Raises:
            StoreUnavailable: Redis is away.
            StoreFull: it has no room for a new field; nothing was added.
        """
        self._connection.run("note_pace", [self._keys.pace(str(model))], group, repr(rows), repr(1000 * busy_s))
