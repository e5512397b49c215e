"""`python -m benchmarks.switched_metrics serve …`: the `attribution` command, whose processes stop and go on measuring.

SIGUSR1 to a gateway and to a worker stops it from measuring, and SIGUSR2 lets it measure again. There is no such
setting: metrics are always on. Only `benchmarks.observability` runs this, to see what they cost in one and the same
process: two processes that do the same differ by some percent.
"""

import signal
import sys
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import cli.processes.ourselves
from cli.main import app

STOPS, GOES_ON = signal.SIGUSR1, signal.SIGUSR2


def nothing(*_: Any, **__: Any) -> None:
    """In place of what measures."""


def replaced(process: str) -> dict[tuple[Any, str], Callable[..., Any]]:
    """What measures in a `gateway` or a `worker`, by its owner and name, and what takes its place."""
    if process == "gateway":
        from service.monitoring.http_metrics import HttpMetrics  # noqa: PLC0415

        return {
            (HttpMetrics, "observe"): nothing,
            (HttpMetrics, "submitted"): nothing,
            (HttpMetrics, "admitting"): lambda *_: nullcontext(),
        }
    if process == "worker":
        from workers.jobs import settling  # noqa: PLC0415

        return {(settling, "measure_result"): nothing}
    return {}


def switch(process: str) -> None:
    """Makes this process obey both signals, or ignore them."""
    found = replaced(process)
    measuring = {(owner, name): getattr(owner, name) for owner, name in found}

    def use(chosen: dict[tuple[Any, str], Callable[..., Any]]) -> None:
        for (owner, name), function in chosen.items():
            setattr(owner, name, function)

    signal.signal(STOPS, lambda *_: use(found))
    signal.signal(GOES_ON, lambda *_: use(measuring))


if __name__ == "__main__":
    cli.processes.ourselves.COMMAND = (sys.executable, "-P", "-m", "benchmarks.switched_metrics")
    switch(sys.argv[1])
    app()
