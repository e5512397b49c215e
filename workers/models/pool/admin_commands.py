"""Executes admin commands in this worker."""

import threading

import structlog

from broker import WorkerQueue
from broker.records import NO_COMMAND
from schemas.errors import Unavailable
from schemas.model_key import ModelKey
from workers.models.pool.pool import ModelPool

log = structlog.get_logger()
BLOCK_MS = 500  # a read waits so long for a command: it bounds how late the thread sees that it must stop
BUSY_BLOCK_MS = 50  # while commands are being executed, whose end is noticed between two reads
RETRY_S = 0.5  # between tries while the job store is away


class CommandExecutor(threading.Thread):
    """A thread that loads and unloads models as admin commands say, those given while the store was away included.

    Attributes:
        executed: the id of the latest command that is executed, with all before it.
    """

    def __init__(self, queue: WorkerQueue, models: ModelPool, stop: threading.Event) -> None:
        super().__init__(name="admin-commands", daemon=True)
        self._queue = queue
        self._models = models
        self._stop_event = stop
        self._latest = NO_COMMAND  # read so far
        self._pending: dict[str, list[ModelKey]] = {}  # commands under way, with the keys of their models
        self.executed = NO_COMMAND

    def read_unloaded(self) -> frozenset[ModelKey]:
        """The keys of models that are unloaded now; waits until the store answers. `run` executes every later
        command."""
        while not self._stop_event.is_set():
            try:
                batch = self._queue.commands.latest()
            except Unavailable:
                log.warning("job store is away", action="read unloaded models")
                self._stop_event.wait(RETRY_S)
            else:
                self._latest = self.executed = batch.latest
                return batch.unloaded
        return frozenset()

    def run(self) -> None:
        while not self._stop_event.is_set():
            try:
                self._execute()
            except Unavailable:
                self._stop_event.wait(RETRY_S)

    def _execute(self) -> None:
        """Executes the commands given since the last call, and notes which are done."""
        batch = self._queue.commands.read(self._latest, BUSY_BLOCK_MS if self._pending else BLOCK_MS)
        for command, load in batch.loads.items():
            self._pending[command] = self._models.load(load.name, load.version)
        changed = self._models.reconcile(batch.unloaded)
        if batch.latest != self._latest:
            self._pending.setdefault(batch.latest, []).extend(changed)
        self._latest = batch.latest
        for model in batch.unloaded:
            self._queue.waiting_jobs.refuse(model)
        while self._pending and self._models.settled(self._pending[first := next(iter(self._pending))]):
            del self._pending[first]
            self.executed = first
