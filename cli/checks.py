"""`attribution models check`: every method of every model, once."""

import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from rich.table import Table
from rich.text import Text

from cli.console import EXIT_FAILED, EXIT_USAGE, console, fail, stderr
from cli.places import NoModels, model_directories

if TYPE_CHECKING:
    from workers.check import CheckRow


def run_checks(directories: list[Path]) -> int:
    """Show a table; returns the exit code, 1 when anything failed."""
    try:
        directories = model_directories(directories)
    except NoModels as error:
        fail(str(error), EXIT_USAGE)
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("model", "method", ""):
        table.add_column(name, no_wrap=True)
    table.add_column("rows", justify="right")
    table.add_column("seconds", justify="right")
    table.add_column("detail", overflow="fold", style="dim")
    results: list[bool] = []
    shown = None
    for row in _progress(directories):
        results.append(row.ok)
        verdict = Text("ok", style="green") if row.ok else Text("failed", style="bold red")
        model = "" if row.model == shown else row.model
        table.add_row(model, row.method, verdict, str(row.rows), f"{row.seconds:.2f}", Text(row.detail))
        shown = row.model
    console.print(table)
    failed = results.count(False)
    console.print(Text(f"{failed} of {len(results)} failed" if failed else f"all {len(results)} ok", style="bold"))
    return EXIT_FAILED if failed else 0


def _progress(directories: list[Path]) -> "Iterator[CheckRow]":
    """The rows as they come, the latest named in a status line."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))  # the table tells it all
    warnings.filterwarnings("ignore", category=UserWarning, module=r"captum\.")
    with stderr.status("Loading the models") as status:
        from workers.check import check  # noqa: PLC0415  # loads torch

        for row in check(directories):
            status.update(f"{row.model} {row.method}")
            yield row
