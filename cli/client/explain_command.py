"""One explanation from the command line: sends the request, waits with a progress bar, prints the result."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.text import Text

from attribution_client import Client, Result
from attribution_client.saving import PICTURE, check_path
from cli.client.arguments import json_or_word, method_parameters, one_input, target_of
from cli.client.calling import call
from cli.client.print_json import print_json
from cli.client.progress_bar import progress_bar
from cli.client.terminal import render
from cli.console import console


@dataclass(frozen=True)
class ExplainOptions:
    """Options of the command line. The service fills in absent fields."""

    file: Path | None = None
    text: str | None = None
    features: str | None = None
    model: str | None = None
    method: str | None = None
    target: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    written_parameters: list[str] = field(default_factory=list)  # key=value
    quality: list[str] = field(default_factory=list)  # names, or JSON objects with parameters
    seed: int | None = None
    output: Path | None = None
    picture: dict[str, Any] = field(default_factory=dict)  # options of the overlay
    top: int = 20
    json: bool = False


def explain_and_print(options: ExplainOptions, url: str) -> int:
    """Explains through the service at `url` and prints the result or the error. Returns the exit code."""
    return call(url, lambda client: _run(options, client))


def _run(options: ExplainOptions, client: Client) -> int:
    given = one_input(options.file, options.text, options.features)
    if options.output is not None:
        check_path(options.output)
    method: Any = method_parameters(options.written_parameters, **options.parameters)
    if options.method is not None:
        method["name"] = options.method
    with progress_bar() as show:
        result = client.explain(
            given,
            model=options.model,
            method=method,
            target=None if options.target is None else target_of(options.target),
            quality=[json_or_word(metric) for metric in options.quality] or None,
            seed=options.seed,
            progress=show,
        )
    if options.output is not None:
        result.save(options.output, **(options.picture if options.output.suffix.lower() == PICTURE else {}))
    if options.json:
        print_json(result.explanation)
    else:
        _print(result, options, client.url)
    return 0


def _print(result: Result, options: ExplainOptions, url: str) -> None:
    console.print(render(result, top=options.top))
    links = result.job.links
    if links.quality:
        _print_place("curves", url + links.quality)
    if options.output is not None:
        _print_place("written", str(options.output))
    elif result.explanation.picture is not None and links.overlay:
        _print_place("picture", url + links.overlay)


def _print_place(name: str, place: str) -> None:
    console.print(Text.assemble((f"{name:<12}", "dim"), place), soft_wrap=True)
