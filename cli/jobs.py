"""`attribution jobs`: the newest jobs of a running service."""

from typing import Annotated

import typer


def jobs(
    status: Annotated[str | None, typer.Option(help="queued, running, succeeded, failed or cancelled.")] = None,
    model: Annotated[str | None, typer.Option(help="Of this model alone.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 20,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
    url: Annotated[str, typer.Option(envvar="ATTRIBUTION_URL", help="The service.")] = "http://127.0.0.1:8000",
) -> None:
    """The newest jobs: what they explain, how far they are, why they failed."""
    from cli.client.job_table import show_jobs  # noqa: PLC0415  # keeps --help quick

    raise typer.Exit(show_jobs(url, status=status, model=model, limit=limit, as_json=json))
