"""Turns on a device: several engines (one per resident model) share it, one pass at a time, in order of asking."""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import TypeVar

from workers.engine.threads import use_threads

T = TypeVar("T")


class DeviceGate:
    """A fair lock. `threading.Lock` lets an engine that has just released it take it again before one that waits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queue: deque[threading.Lock] = deque()
        self._held = False
        self._passes: ThreadPoolExecutor | None = None

    def run(self, work: Callable[[], T], threads: int | None) -> T:
        """Does `work` in its turn, and returns or raises what it does.

        With several CPU threads all of it is done by one thread, whoever asks. OpenMP keeps a team of threads for each
        thread that computes, and has them spin between two operations, which halves the time of a pass of one row,
        only as long as all teams of the process together are no more than the cores.
        """
        with self:
            if threads is None or threads == 1:
                return work()
            if self._passes is None:
                self._passes = ThreadPoolExecutor(1, "passes", use_threads, (threads,))
            return self._passes.submit(work).result()

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
