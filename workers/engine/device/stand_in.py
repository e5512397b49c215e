"""A device for tests and benchmarks, whose time is known: it shows what the host costs, without a GPU."""

import threading
from collections import deque
from collections.abc import Callable
from time import perf_counter
from typing import Any, ClassVar

from workers.engine.device.pass_device import L, PassDevice, PendingPass


class StandIn(PassDevice):
    """Behaves as a GPU does: a launch returns at once, and passes end one after another, with nobody's CPU.

    A pass takes `pass_s + rows x row_s` seconds. Its answers are computed on the CPU while it is launched, so they
    should cost little.

    Args:
        pass_s: seconds of a pass without rows.
        row_s: seconds of a row.
        observe: called with each pass once it is done, in the thread of the device.
    """

    depth: ClassVar[int] = 2

    def __init__(self, pass_s: float, row_s: float, observe: Callable[[PendingPass[Any]], None] | None = None) -> None:
        super().__init__()
        self._pass_s = pass_s
        self._row_s = row_s
        self._observe = observe
        self._changed = threading.Condition()
        self._queue: deque[PendingPass[Any]] = deque()  # the first one runs
        self._done_s = 0.0  # of passes that are done
        self._free_at_s = 0.0
        self._thread = threading.Thread(target=self._loop, name="stand-in", daemon=True)
        self._thread.start()

    def submit(self, launch: Callable[[], L]) -> PendingPass[L]:
        launched = launch()
        seconds = launched.passes * self._pass_s + launched.rows * self._row_s
        with self._changed:
            began_s = self.reserve(seconds)
            self._free_at_s = began_s + seconds
            pending = PendingPass(launched, began_s, self._free_at_s, seconds)
            self._queue.append(pending)
            if len(self._queue) == 1:  # else the thread waits for the end of an earlier pass
                self._changed.notify()
        return pending

    def reserve(self, seconds: float) -> float:
        """When a pass of so many seconds that is submitted now begins, by `perf_counter`."""
        return max(perf_counter(), self._free_at_s)

    @property
    def free_at_s(self) -> float:
        return self._free_at_s

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def busy_s(self) -> float:
        with self._changed:
            running_s = max(0.0, perf_counter() - self._queue[0].began_s) if self._queue else 0.0
            running_s = min(running_s, self._queue[0].seconds) if self._queue else 0.0
            return super().busy_s() + self._done_s + running_s

    def _loop(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue)
                pending = self._queue[0]
                while (left_s := pending.ended_s - perf_counter()) > 0:
                    self._changed.wait(left_s)
                self._queue.popleft()
                self._done_s += pending.seconds
            pending.complete()
            if self._observe is not None:
                self._observe(pending)
