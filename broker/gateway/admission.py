"""The bounds under which jobs are accepted, and what a refused client is told."""

from typing import Any, NamedTuple

import structlog
from redis import exceptions

from broker.gateway.async_connection import AsyncConnection
from broker.scripts import Argument
from broker.tuning import (
    ALL_MODELS_FACTOR,
    BUDGET_CHECK_S,
    MODEL_BYTES_SHARE,
    QUEUE_BYTES,
    QUEUE_SECONDS,
    STORE_SHARE,
)
from schemas.errors import Overloaded, ServiceError, StoreFull, StoreUnavailable
from schemas.sentences import Sentence

log = structlog.get_logger(__name__)
NO_BOUND = 1 << 52  # bytes: Lua's numbers hold it exactly


class QueueBounds(NamedTuple):
    """What jobs may hold at a time.

    Attributes:
        depth: jobs of one model, waiting and running.
        seconds: of work of one model at its measured pace; all models together may hold `ALL_MODELS_FACTOR` times that.
        queue_bytes: of the inputs of all jobs that wait or run; those of one model may hold `MODEL_BYTES_SHARE`.
        store_bytes: of records, inputs and results, those to come included. None: a share of the server's memory.
    """

    depth: int = 1000
    seconds: int = QUEUE_SECONDS
    queue_bytes: int = QUEUE_BYTES
    store_bytes: int | None = None

    def arguments(self, store_bytes: int) -> list[Argument]:
        """As the script `submit` takes them: milliseconds and bytes of one model, of all, and the store's budget."""
        work_ms = self.seconds * 1000
        model_bytes = int(self.queue_bytes * MODEL_BYTES_SHARE)
        return [work_ms, model_bytes, work_ms * ALL_MODELS_FACTOR, self.queue_bytes, store_bytes]

    def refusal(self, full: str, model: str, retry_after_s: int) -> ServiceError:
        """The error for a job that would pass the bound `full`; an empty `model` stands for all of them."""
        queue = Sentence("the queue of {model}", model=model) if model else Sentence("the queue of all models")
        match full:
            case "jobs":
                return Overloaded(
                    Sentence("{queue} is full of jobs: {most} may wait or run", queue=queue, most=self.depth),
                    retry_after_s=retry_after_s,
                )
            case "rows":
                seconds = self.seconds if model else self.seconds * ALL_MODELS_FACTOR
                detail = Sentence(
                    "{queue} is full of rows: they may take {seconds} s at the measured pace",
                    queue=queue,
                    seconds=seconds,
                )
                return Overloaded(detail, retry_after_s=retry_after_s)
            case "bytes":
                count = int(self.queue_bytes * MODEL_BYTES_SHARE) if model else self.queue_bytes
                detail = Sentence(
                    "{queue} is full of bytes: the inputs may take {count} bytes", queue=queue, count=count
                )
                return Overloaded(detail, retry_after_s=retry_after_s)
            case _:
                full_store = "the job store has no room for another result until stored ones expire"
                return StoreFull(full_store, retry_after_s=retry_after_s)


class StoreBudget:
    """How many bytes jobs may take of the store."""

    def __init__(self, connection: AsyncConnection, configured: int | None, clock: Any) -> None:
        self._connection = connection
        self._configured = configured
        self._clock = clock  # seconds, monotonic
        self._bytes = NO_BOUND
        self._read_at: float | None = None

    async def bytes(self) -> int:
        """The configured number, or `STORE_SHARE` of the server's `maxmemory`, or of its machine's memory where it has
        no limit. Read again after `BUDGET_CHECK_S`. No bound where the server does not tell."""
        if self._configured is not None:
            return self._configured
        now = self._clock()
        if self._read_at is None or now - self._read_at > BUDGET_CHECK_S:
            self._bytes = await self._measured()
            self._read_at = now
        return self._bytes

    async def _measured(self) -> int:
        try:
            async with self._connection.guard():
                memory = await self._connection.client.info("memory")
        except StoreUnavailable as error:
            if isinstance(error.__cause__, exceptions.NoPermissionError):
                log.warning("store_budget_unknown", reason="no permission for INFO; set ATTRIBUTION_STORE_BYTES")
                return NO_BOUND
            raise
        policy = memory.get("maxmemory_policy", "noeviction")
        if memory.get("maxmemory") and policy != "noeviction" and self._read_at is None:
            log.warning("store_evicts", policy=policy, reason="results of clients may be lost; set noeviction")
        limit = int(memory.get("maxmemory") or memory.get("total_system_memory") or 0)
        return int(limit * STORE_SHARE) or NO_BOUND
