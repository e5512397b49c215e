"""`attribution models`: makes and checks model folders, and lists and changes the models of a running service."""

from enum import StrEnum
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
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
HERE = "http://127.0.0.1:8000"


class Kind(StrEnum):
    """What a new model takes."""

    IMAGE = "image"
    TABULAR = "tabular"
    TENSOR = "tensor"


@app.command("check")
def check_models(
    directories: Annotated[list[Path], typer.Argument(metavar="DIR…", help="Directories of model folders.")],
    limit: Limit = 60.0,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Every reason by every method, and what the models print.")
    ] = False,
) -> None:
    """Load every model of DIR and run each method it offers once. Exit code 1 when something failed."""
    from cli.check_report import run_checks  # noqa: PLC0415

    raise typer.Exit(run_checks(directories, limit, verbose=verbose))


@app.command("new")
def new_model(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to make; its name is the model's.")],
    kind: Annotated[Kind, typer.Option(help="What the model takes. For texts see transformers in docs/models.md.")] = (
        Kind.IMAGE
    ),
) -> None:
    """Write a model folder that works, with comments, to be filled with your own model."""
    from cli.new_model import write_model  # noqa: PLC0415

    write_model(folder, kind.value)


@app.command("list")
def list_models(url: Url = HERE, json: Json = False) -> None:
    """The models of a running service: version, status, memory, last use."""
    from cli.client.model_table import show_models  # noqa: PLC0415  # keeps --help quick

    raise typer.Exit(show_models(url, as_json=json))


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
