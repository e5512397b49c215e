"""What all connections of a gateway process share: their limits, their places, and one timer."""

import asyncio
import time
from collections import Counter
from typing import Protocol

import structlog

from service.connections.limits import ConnectionLimits
from service.connections.places import Places
from service.tuning import MAX_SWEEP_S, MIN_SWEEP_S

log = structlog.get_logger("service.connections")
SWEEPS_PER_LIMIT = 4  # so that a limit is kept to within a quarter


class Watched(Protocol):
    """A connection as the door sees it."""

    def pass_time(self, seconds: float) -> None:
        """Add to the times that the client is taking, and end the connection if one is too long."""

    def drop(self, reason: str) -> None:
        """End the connection at once, without a response."""


class Door:
    """Admits connections and keeps time for them. One timer for all costs a request nothing."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self.places: Places[Watched] = Places(limits.connections, limits.per_address)
        self._watched: set[Watched] = set()
        self._refused: Counter[str] = Counter()
        shortest_s = min(limits.head_s, limits.body_grace_s, limits.write_s)
        self._interval_s = min(max(shortest_s / SWEEPS_PER_LIMIT, MIN_SWEEP_S), MAX_SWEEP_S)
        self._swept_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def enter(self, connection: Watched, address: str, loop: asyncio.AbstractEventLoop) -> None:
        """A new connection. Beyond the caps, the oldest of those kept for health checks may go for it."""
        gone = self.places.take(connection, address)
        self._watched.add(connection)
        if gone is not None:
            gone.drop("replaced")
        if self._timer is None:
            self._swept_at = time.monotonic()
            self._timer = loop.call_later(self._interval_s, self._sweep, loop)

    def leave(self, connection: Watched) -> None:
        """The connection is closed."""
        self.places.leave(connection)
        self._watched.discard(connection)

    def count(self, reason: str) -> None:
        """Note that a connection was refused or dropped, for the log."""
        self._refused[reason] += 1

    def drop_all(self, reason: str) -> None:
        """End every connection at once."""
        for connection in list(self._watched):
            connection.drop(reason)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        now = time.monotonic()
        # A loop that was held up is no reason to blame clients, whose bytes may be waiting.
        passed_s = min(now - self._swept_at, 2 * self._interval_s)
        self._swept_at = now
        for connection in list(self._watched):
            connection.pass_time(passed_s)
        if self._refused:  # one line a sweep: a flood of connections is no flood of lines
            log.warning("connections refused", open=len(self._watched), **dict(sorted(self._refused.items())))
            self._refused.clear()
        self._timer = loop.call_later(self._interval_s, self._sweep, loop) if self._watched else None
