"""`attribution methods`: the attribution methods, and what each is for."""

from typing import Annotated

import typer


def methods(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="One method, with its parameters.")] = None,
    language: Annotated[str | None, typer.Option("--lang", help="en or es. Default: that of the locale.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
    url: Annotated[str, typer.Option(envvar="ATTRIBUTION_URL", help="The service.")] = "http://127.0.0.1:8000",
) -> None:
    """The attribution methods: the idea of each, its cost, when to use it and when not."""
    from cli.client.method_table import show_methods  # noqa: PLC0415  # keeps --help quick

    raise typer.Exit(show_methods(url, name=name, language=language, as_json=json))
