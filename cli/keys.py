"""`attribution keys`: the API keys of a service."""

from pathlib import Path
from typing import Annotated

import typer

from cli.console import EXIT_USAGE, console, fail, stderr

app = typer.Typer(help="API keys: who may call the service, for what, and how much.", no_args_is_help=True)

Scopes = Annotated[list[str] | None, typer.Option("--scope", help="explain (default), admin or metrics; repeatable.")]
File = Annotated[Path | None, typer.Option(envvar="ATTRIBUTION_KEYS", help="The file to append to.")]
RowsPerMinute = Annotated[int | None, typer.Option(min=1, help="Model rows of new jobs a minute. Default: any.")]
QueuedRows = Annotated[int | None, typer.Option(min=1, help="Model rows of jobs that have not ended. Default: any.")]


@app.callback()
def keys() -> None:
    """API keys: who may call the service, for what, and how much."""  # without a callback `new` would be the app


@app.command("new")
def new_key(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Owner of what the key makes.")],
    scope: Scopes = None,
    file: File = None,
    rows_per_minute: RowsPerMinute = None,
    queued_rows: QueuedRows = None,
) -> None:
    """Make a key for NAME, print it once, and append its hash to the file of keys."""
    from service.api_keys import KeysError, append_key  # noqa: PLC0415  # keeps --help quick

    if file is None:
        fail("name the file of keys, by --file or ATTRIBUTION_KEYS", EXIT_USAGE)
    limits = {"rows_per_minute": rows_per_minute, "queued_rows": queued_rows}
    try:
        secret = append_key(file, name, scope or ["explain"], {k: v for k, v in limits.items() if v is not None})
    except KeysError as error:
        fail(str(error), EXIT_USAGE)
    console.print(secret, markup=False, soft_wrap=True)
    stderr.print(f"This is the only time that the key is shown; {file} holds its hash.", markup=False)
    stderr.print("A gateway that runs reads the file again on SIGHUP.", markup=False)
