"""SIGTERM and SIGINT: the first asks a worker to stop, the second to hand back at once what it still runs."""

import os
import signal
import threading
from types import FrameType


class StopSignals:
    """The signals of this process, from `install` on.

    Attributes:
        stop: set by the first signal: nothing is claimed any more, and running jobs have their grace.
        hurry: set by the second: the grace is over.
    """

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.hurry = threading.Event()
        self._may_hold_jobs = False

    def install(self) -> None:
        """Handles the signals from now on. Until `serving` they end the process at once, with 0: it holds no job."""
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, self._handle)

    def serving(self) -> None:
        """From now on the process may hold jobs."""
        self._may_hold_jobs = True

    def _handle(self, *_: int | FrameType | None) -> None:
        if not self._may_hold_jobs:
            os._exit(0)  # a load in progress cannot be interrupted, and nobody waits for it
        if self.stop.is_set():
            self.hurry.set()
        self.stop.set()
