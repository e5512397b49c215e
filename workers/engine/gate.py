"""Turns on a device: several engines (one per resident model) share it, one pass at a time, in order of asking."""

import threading
from collections import deque
from types import TracebackType


class DeviceGate:
    """A fair lock. `threading.Lock` lets an engine that has just released it take it again before one that waits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queue: deque[threading.Lock] = deque()
        self._held = False

    def __enter__(self) -> None:
        with self._lock:
            if not self._held:
                self._held = True
                return
            turn = threading.Lock()
            turn.acquire()
            self._queue.append(turn)
        turn.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            if self._queue:
                self._queue.popleft().release()
            else:
                self._held = False
