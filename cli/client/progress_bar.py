"""A progress bar on a terminal for what a service is computing."""

from collections.abc import Iterable
from typing import TypeVar

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from cli.console import stderr
from schemas.comparisons import Comparison
from schemas.jobs import Job

Followed = TypeVar("Followed", Job, Comparison)


def show_progress(first: Followed, updates: Iterable[Followed]) -> Followed:
    """Shows the model rows that are done until the updates end. Returns the last one, or `first` if there is none."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("rows"),
        TimeElapsedColumn(),
    )
    latest = first
    with Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal) as progress:
        bar = progress.add_task(first.status, total=first.progress.total or None)
        for latest in updates:
            now = latest.progress
            progress.update(bar, description=latest.status, completed=now.done, total=now.total or None)
    return latest
