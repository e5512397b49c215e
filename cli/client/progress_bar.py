"""A progress bar on a terminal for what a service is computing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from attribution_client.wire.answers import Comparison, Job
from cli.console import stderr


@contextmanager
def progress_bar() -> Iterator[Callable[[Job | Comparison], None]]:
    """What is to be called with each state of a job or a comparison; it shows the model rows that are done."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("rows"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal) as progress:
        bar = progress.add_task("queued", total=None)

        def show(now: Job | Comparison) -> None:
            done = now.progress
            progress.update(bar, description=now.status, completed=done.done, total=done.total or None)

        yield show
