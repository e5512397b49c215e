"""A stand-in device that several worker processes share, as processes take turns on one GPU."""

import fcntl
import struct
from pathlib import Path
from time import perf_counter

from benchmarks.host.worker import Traced

TIME = struct.Struct("d")  # when the device is free, by the monotonic clock, which all processes of a machine share


class SharedDevice(Traced):
    """Passes of all processes run one after another, in the order of submission. A process knows of its own alone.

    Args:
        trace: file for a line of JSON for each pass of this process.
        clock: file that the processes share; it is made if it is missing.
    """

    def __init__(self, trace: Path, clock: Path) -> None:
        self._clock = clock.open("a+b", buffering=0)
        super().__init__(trace.open("w", buffering=1))

    def reserve(self, seconds: float) -> float:
        fcntl.flock(self._clock, fcntl.LOCK_EX)
        try:
            self._clock.seek(0)
            told = self._clock.read(TIME.size)
            began_s = max(perf_counter(), TIME.unpack(told)[0] if told else 0.0)
            self._clock.truncate(0)
            self._clock.write(TIME.pack(began_s + seconds))
        finally:
            fcntl.flock(self._clock, fcntl.LOCK_UN)
        return began_s
