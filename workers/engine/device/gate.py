"""Turns on a device. Several engines share it, one per resident model."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from time import perf_counter
from types import TracebackType
from typing import Any, TypeVar

from workers.engine.device.pass_device import HostDevice, L, PassDevice, PendingPass
from workers.engine.device.threads import use_threads
from workers.engine.tuning import FREE_DEVICE_SHARE, LAUNCH_LEAD_S, LAUNCH_LEAD_TIMES, LAUNCH_MEMORY

T = TypeVar("T")


class DeviceGate:
    """A lock that threads get in the order in which they ask, and the count of passes on the device behind it.

    A `threading.Lock` is not fair: an engine that has just released it may take it again before one that waits.

    As a context manager it is held by a thread that needs the device to itself: no pass runs or waits there then.

    Args:
        device: computes the passes.
    """

    def __init__(self, device: PassDevice | None = None) -> None:
        self._device = device or HostDevice()
        self._lock = threading.Lock()
        self._queue: deque[threading.Lock] = deque()
        self._held = False
        self._outstanding = 0  # passes that are submitted and not done
        self._latest_done: threading.Event | None = None  # set once the device has ended the latest pass
        self._launch_s = 0.0  # that a launch takes, as of late
        self._wake: Callable[[], None] | None = None  # of the thread that has the turn
        self._passes: ThreadPoolExecutor | None = None

    def run(self, work: Callable[[], T], threads: int | None) -> T:
        """Calls `work` once it is the caller's turn and the device has no pass; returns its value or raises its error.

        With several CPU threads, one thread runs the passes of all engines. OpenMP keeps a team of threads for each
        thread that computes. A team spins between two operations, which halves the time of a pass of one row, but only
        while the teams of the process have no more threads than there are cores.

        Args:
            work: a computation whose end the caller waits for.
            threads: CPU threads that it may use; None: torch's own number.
        """
        with self, self._device.occupied():
            return self._in_pass_thread(work, threads)

    def submit(self, launch: Callable[[], L], threads: int | None) -> PendingPass[L]:
        """Launches a pass. The caller has the turn, and `wait_s` was 0.

        Raises:
            Exception: whatever `launch` raises.
        """
        started_s = perf_counter()
        pending = self._in_pass_thread(partial(self._device.submit, launch), threads)
        self._launch_s += (perf_counter() - started_s - self._launch_s) / LAUNCH_MEMORY
        with self._lock:
            self._outstanding += 1
            self._latest_done = pending.done
        pending.then(self._end)
        return pending

    def wait_s(self, *, full: bool) -> float | None:
        """For how long a pass must wait for the device; None: until one of its passes is done.

        One pass runs, and one waits behind it. A full pass may wait there. Another one is packed when the device is
        about to be free, because rows gather meanwhile.
        """
        with self._lock:
            if self._outstanding >= self._device.depth:
                return None
            if full or not self._outstanding:
                return 0.0
        lead_s = LAUNCH_LEAD_S + LAUNCH_LEAD_TIMES * self._launch_s
        return max(0.0, self._device.free_at_s - perf_counter() - lead_s)

    def enough_rows(self, batch_rows: int) -> int:
        """Rows for which a pass is worth its launch, though more may come before the device is free.

        On a device that computes while it is launched, more rows cost nothing: the jobs that bring them run meanwhile.
        Another one would be idle while the last jobs prepare theirs.
        """
        return batch_rows if self._device.depth == 1 else -(-batch_rows // FREE_DEVICE_SHARE)

    def busy_s(self) -> float:
        """Seconds for which the device has computed, those of the present pass included, by its own clock."""
        return self._device.busy_s()

    @property
    def alive(self) -> bool:
        """False once the device can complete no more passes."""
        return self._device.alive

    @contextmanager
    def turn(self, wake: Callable[[], None]) -> Iterator[None]:
        """Around the launch of a pass: once it is the caller's turn. Passes of earlier turns may still run.

        Args:
            wake: called during the turn whenever a pass is done, in the thread of the device.
        """
        self._enter()
        try:
            with self._lock:
                self._wake = wake
            yield
        finally:
            with self._lock:
                self._wake = None
            self._leave()

    def __enter__(self) -> None:
        self._enter()
        if self._latest_done is not None:
            self._latest_done.wait()  # passes end in order

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def _in_pass_thread(self, work: Callable[[], T], threads: int | None) -> T:
        if threads is None or threads == 1:
            return work()
        if self._passes is None:
            self._passes = ThreadPoolExecutor(1, "passes", use_threads, (threads,))
        return self._passes.submit(work).result()

    def _end(self, pending: PendingPass[Any]) -> None:
        with self._lock:
            self._outstanding -= 1
            wake = self._wake
        if wake is not None:
            wake()

    def _enter(self) -> None:
        with self._lock:
            if not self._held:
                self._held = True
                return
            turn = threading.Lock()
            turn.acquire()
            self._queue.append(turn)
        turn.acquire()

    def _leave(self) -> None:
        with self._lock:
            if self._queue:
                self._queue.popleft().release()
            else:
                self._held = False
