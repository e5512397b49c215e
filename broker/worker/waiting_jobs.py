"""Jobs that wait for a model which has been unloaded."""

from typing import Any

from broker.store_errors import store_errors
from broker.tuning import MAX_FAILED_AT_ONCE
from broker.worker.sync_connection import SyncConnection
from schemas.errors import UnloadedMeanwhile
from schemas.jobs import JobFailure
from schemas.model_key import ModelKey


class WaitingJobs:
    """The jobs in the queues of models. `lease_ms` and `result_ttl_s` are settings of the `WorkerQueue`."""

    def __init__(self, connection: SyncConnection, lease_ms: int, result_ttl_s: int) -> None:
        self._connection = connection
        self._keys = connection.keys
        self._lease_ms = lease_ms
        self._result_ttl_s = result_ttl_s
        self._failure = JobFailure.of(
            UnloadedMeanwhile("the model was unloaded before the job began")
        ).model_dump_json()

    def models(self) -> list[ModelKey]:
        """The models that have jobs which wait or run."""
        with store_errors():
            client = self._connection.client
            names: Any = client.smembers(self._keys.queues)
            known = [ModelKey.parse(name.decode()) for name in sorted(names)]
            with client.pipeline(transaction=False) as pipeline:
                for model in known:
                    for stream in self._keys.streams(model):
                        pipeline.xlen(stream)
                lengths = pipeline.execute()
        each = len(lengths) // len(known) if known else 0
        return [model for number, model in enumerate(known) if any(lengths[number * each : (number + 1) * each])]

    def refuse(self, model: ModelKey) -> int:
        """Fails the jobs that wait for a model if it is unloaded; returns how many."""
        keys = [self._keys.unloaded, *self._keys.streams(model)]
        refused, count = 0, MAX_FAILED_AT_ONCE
        while count >= MAX_FAILED_AT_ONCE:
            count = self._connection.run("refuse", keys, str(model), self._failure, self._result_ttl_s, self._lease_ms)
            refused += count
        return refused
