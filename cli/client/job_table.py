"""The newest jobs of a running service, in the terminal."""

from collections.abc import Sequence
from datetime import UTC, datetime

from rich.table import Table
from rich.text import Text

from attribution_client import Client
from attribution_client.display.words import class_name
from attribution_client.wire.answers import Job
from cli.client.calling import call
from cli.client.model_table import ago
from cli.client.print_json import print_json
from cli.console import console

STYLES = {"succeeded": "green", "running": "cyan", "queued": "yellow", "failed": "bold red", "cancelled": "dim"}


def show_jobs(url: str, *, status: str | None, model: str | None, limit: int, as_json: bool) -> int:
    """Prints the jobs, newest first. Returns the exit code."""

    def show(client: Client) -> int:
        jobs = client.jobs(status=status, model=model, limit=limit)
        if as_json:
            print_json(jobs)
        elif jobs:
            console.print(table(jobs, datetime.now(UTC)))
        else:
            console.print("no jobs")
        return 0

    return call(url, show)


def table(jobs: Sequence[Job], now: datetime) -> Table:
    """One line per job: what it explains, how far it is, and why it failed."""
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    ids = max((len(job.id) for job in jobs), default=0)
    shown.add_column("job", no_wrap=True, min_width=ids)  # to be copied
    shown.add_column("status", no_wrap=True, min_width=max(map(len, STYLES)))
    shown.add_column("created", no_wrap=True, justify="right", min_width=len("59 min ago"))
    for name in ("method", "model", "explained"):
        shown.add_column(name, no_wrap=True, overflow="ellipsis")
    shown.add_column("rows", no_wrap=True, justify="right")
    for job in jobs:
        told = job.error.detail if job.error else ", ".join(map(class_name, job.target or []))
        shown.add_row(
            Text(job.id),
            Text(job.status, STYLES.get(job.status, "")),
            ago(job.created_at, now),
            Text(str(job.method.get("name", ""))),
            Text(job.model),
            Text(told),
            f"{job.progress.done}/{job.progress.total}",
        )
    return shown
