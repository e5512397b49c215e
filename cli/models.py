"""`attribution models`: lists the models of a running service, and changes them with a key that has the scope admin."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="The model repository, and what a running service holds of it.", no_args_is_help=True)

Url = Annotated[str, typer.Option(envvar="ATTRIBUTION_URL", help="The service.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="As in model.toml.")]
ModelVersion = Annotated[str | None, typer.Option("--version", help="Default: every version.")]
Wait = Annotated[float, typer.Option(min=0, help="Seconds to wait for the workers.")]
Limit = Annotated[
    float, typer.Option(min=1, metavar="SECONDS", help="Time for one method; ten times as long for a load.")
]
HERE = "http://127.0.0.1:8000"


@app.command("check")
def check_models(
    directories: Annotated[list[Path], typer.Argument(metavar="DIR…", help="Directories of model folders.")],
    limit: Limit = 60.0,
) -> None:
    """Load every model of DIR and run each method it offers once. Exit code 1 when something failed."""
    from cli.check_report import run_checks  # noqa: PLC0415

    raise typer.Exit(run_checks(directories, limit))


@app.command("list")
def list_models(url: Url = HERE) -> None:
    """The models of a running service: version, status, memory, last use."""
    from cli.client.model_table import show_models  # noqa: PLC0415  # keeps --help quick

    raise typer.Exit(show_models(url))


@app.command("load")
def load_model(name: Name, version: ModelVersion = None, wait: Wait = 60.0, url: Url = HERE) -> None:
    """Load NAME in a running service, or reload it if its folder has changed. ATTRIBUTION_KEY needs scope admin."""
    from cli.client.model_table import send_admin_command  # noqa: PLC0415

    raise typer.Exit(send_admin_command("load", name, version, wait, url))


@app.command("unload")
def unload_model(name: Name, version: ModelVersion = None, wait: Wait = 60.0, url: Url = HERE) -> None:
    """Unload NAME in a running service. ATTRIBUTION_KEY needs the scope admin."""
    from cli.client.model_table import send_admin_command  # noqa: PLC0415

    raise typer.Exit(send_admin_command("unload", name, version, wait, url))
