"""`python -m benchmarks.without_metrics serve …`: the `attribution` command, whose processes measure nothing.

There is no such setting: metrics are always on. Only `benchmarks.observability` runs this, to see what they cost.
"""

import sys
from contextlib import nullcontext
from typing import Any

import cli.serve
from cli.main import app


def nothing(*_: Any, **__: Any) -> None:
    """In place of what measures."""


def stop_measuring(process: str) -> None:
    """Takes the metrics out of this process, a `gateway`, a `worker` or what starts both."""
    cli.serve.OURSELVES = (sys.executable, "-P", "-m", "benchmarks.without_metrics")
    if process == "gateway":
        from service.monitoring.http_metrics import HttpMetrics  # noqa: PLC0415

        HttpMetrics.observe = HttpMetrics.submitted = nothing  # type: ignore[method-assign]
        HttpMetrics.admitting = lambda *_: nullcontext()  # type: ignore[method-assign, assignment]
    if process == "worker":
        from workers.jobs import settling  # noqa: PLC0415

        vars(settling)["measure_result"] = nothing


if __name__ == "__main__":
    stop_measuring(sys.argv[1])
    app()
