"""`python -m benchmarks.host.worker`: a worker whose device is the stand-in. The service's own settings apply.

`STAND_IN_TRACE` names a file for a line of JSON for each pass. With `STAND_IN_EAGER=1` the device never says that it is
busy, so that the engine packs a pass whenever Python is ready to: as on a GPU, where a launch returns at once.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, thread_time
from typing import IO, Any, ClassVar

from service.monitoring.logging import configure_logging
from workers.engine.device.pass_device import L, PendingPass
from workers.engine.device.stand_in import StandIn
from workers.main import run
from workers.settings import WorkerSettings

PASS_S, ROW_S, BATCH_ROWS = 0.001, 0.00025, 128


class Traced(StandIn):
    """Writes down each pass: when it was submitted, began and ended, its rows, and the CPU time of its launch."""

    def __init__(self, trace: IO[str]) -> None:
        super().__init__(PASS_S, ROW_S, self._write)
        self._trace = trace
        self._submitted: dict[int, tuple[float, float]] = {}  # of passes that are not done

    def submit(self, launch: Callable[[], L]) -> PendingPass[L]:
        submitted_s = perf_counter()

        def timed() -> L:
            cpu_s = thread_time()
            launched = launch()
            # Before the device has the pass: it may end before this thread computes again.
            self._submitted[id(launched)] = (submitted_s, thread_time() - cpu_s)
            return launched

        return super().submit(timed)

    def _write(self, pending: PendingPass[Any]) -> None:
        submitted_s, launch_cpu_s = self._submitted.pop(id(pending.launched))
        line = {
            "submitted_s": submitted_s,
            "launch_cpu_s": launch_cpu_s,
            "began_s": pending.began_s,
            "ended_s": pending.ended_s,
            "rows": pending.launched.rows,
        }
        self._trace.write(json.dumps(line) + "\n")


class Eager(Traced):
    """Takes any number of passes, and says that it is free at any time."""

    depth: ClassVar[int] = 1_000

    @property
    def free_at_s(self) -> float:
        return perf_counter()


def main() -> None:
    """Serves until a signal stops it."""
    configure_logging()
    if shared := os.environ.get("STAND_IN_SHARED"):
        from benchmarks.host.shared_device import SharedDevice  # noqa: PLC0415  # it extends what this module defines

        run(WorkerSettings(), passes=SharedDevice(Path(os.environ["STAND_IN_TRACE"]), Path(shared)))
        return
    with Path(os.environ["STAND_IN_TRACE"]).open("w", buffering=1) as trace:
        device = Eager(trace) if os.environ.get("STAND_IN_EAGER") else Traced(trace)
        run(WorkerSettings(), passes=device)


if __name__ == "__main__":
    main()
