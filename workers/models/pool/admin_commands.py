"""What the operator orders, carried out by this worker."""

import threading

import structlog

from broker import WorkerQueue
from broker.records import FIRST_ORDER
from schemas.errors import Unavailable
from schemas.model_key import ModelKey
from workers.models.pool.pool import ModelPool

log = structlog.get_logger()
BLOCK_MS = 500
BUSY_BLOCK_MS = 50  # while orders are being carried out
RETRY_S = 0.5


class OrderFollower(threading.Thread):
    """A thread that hears orders and the state that the operator wants, whether they came before it or while it was
    away. `carried_out` is the latest order that is done, with all before it."""

    def __init__(self, queue: WorkerQueue, models: ModelPool, stop: threading.Event) -> None:
        super().__init__(name="orders", daemon=True)
        self._queue = queue
        self._models = models
        self._stop_event = stop
        self._heard: str | None = None
        self._open: dict[str, list[str]] = {}  # orders under way, with the models they are about
        self.carried_out = FIRST_ORDER

    def look(self) -> frozenset[ModelKey]:
        """The models that are out of service now, once the store answers; every later order is followed by `run`."""
        while not self._stop_event.is_set():
            try:
                orders = self._queue.orders(None)
            except Unavailable:
                log.warning("job store is away", action="orders")
                self._stop_event.wait(RETRY_S)
            else:
                self._heard = self.carried_out = orders.latest
                return orders.unloaded
        return frozenset()

    def run(self) -> None:
        while not self._stop_event.is_set():
            try:
                self._follow()
            except Unavailable:
                self._stop_event.wait(RETRY_S)

    def _follow(self) -> None:
        orders = self._queue.orders(self._heard, BUSY_BLOCK_MS if self._open else BLOCK_MS)
        for number, order in orders.loads.items():
            self._open[number] = self._models.load(order.model, order.version)
        changed = self._models.reconcile(frozenset(map(str, orders.unloaded)))
        if orders.latest != self._heard:
            self._open.setdefault(orders.latest, []).extend(changed)
        self._heard = orders.latest
        for queue in orders.unloaded:
            self._queue.refuse(queue)
        while self._open and self._models.settled(self._open[first := next(iter(self._open))]):
            del self._open[first]
            self.carried_out = first
