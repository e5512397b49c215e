"""Turns on a device. Several engines share it, one per resident model; one pass runs at a time."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from time import perf_counter
from types import TracebackType
from typing import TypeVar

from workers.engine.device.threads import use_threads

T = TypeVar("T")


class DeviceGate:
    """A lock that threads get in the order in which they ask.

    A `threading.Lock` is not fair: an engine that has just released it may take it again before one that waits.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queue: deque[threading.Lock] = deque()
        self._held = False
        # Seconds of the turns that have ended, and when the present one began; one value, so that no reader sees half.
        self._busy: tuple[float, float | None] = (0.0, None)
        self._passes: ThreadPoolExecutor | None = None

    def run(self, work: Callable[[], T], threads: int | None) -> T:
        """Calls `work` once it is the caller's turn; returns its value or raises its error.

        With several CPU threads, one thread runs the passes of all engines. OpenMP keeps a team of threads for each
        thread that computes. A team spins between two operations, which halves the time of a pass of one row, but only
        while the teams of the process have no more threads than there are cores.

        Args:
            work: a pass.
            threads: CPU threads that it may use; None: torch's own number.
        """
        with self, self._timed():
            if threads is None or threads == 1:
                return work()
            if self._passes is None:
                self._passes = ThreadPoolExecutor(1, "passes", use_threads, (threads,))
            return self._passes.submit(work).result()

    def busy_s(self) -> float:
        """Seconds for which passes have had the device, the present one included."""
        busy_s, began_s = self._busy
        return busy_s + (0.0 if began_s is None else perf_counter() - began_s)

    @contextmanager
    def _timed(self) -> Iterator[None]:
        """Adds the time of the body, which has the turn."""
        busy_s, began_s = self._busy[0], perf_counter()
        self._busy = (busy_s, began_s)
        try:
            yield
        finally:
            self._busy = (busy_s + perf_counter() - began_s, None)

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
