"""A comparison from the command line: sends the request, waits with a progress bar, prints where the cells agree."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.text import Text

from attribution_client import Client
from attribution_client.saving import PICTURE, check_path, write
from cli.client.agreement_table import render_comparison
from cli.client.arguments import methods_of, one_input, targets_of
from cli.client.calling import call
from cli.client.print_json import print_json
from cli.client.progress_bar import progress_bar
from cli.console import EXIT_FAILED, console


@dataclass(frozen=True)
class CompareOptions:
    """Options of the command line. The service fills in absent fields."""

    file: Path | None = None
    text: str | None = None
    features: str | None = None
    methods: str | None = None
    models: str | None = None
    targets: str | None = None
    seed: int | None = None
    output: Path | None = None
    picture: dict[str, Any] = field(default_factory=dict)  # options of the sheet
    json: bool = False


def compare_and_print(options: CompareOptions, url: str) -> int:
    """Compares through the service at `url` and prints the result or the error. Returns the exit code."""
    return call(url, lambda client: _run(options, client))


def _run(options: CompareOptions, client: Client) -> int:
    given = one_input(options.file, options.text, options.features)
    if options.output is not None:
        check_path(options.output, (PICTURE,))
    with progress_bar() as show:
        result = client.compare(
            given,
            models=None if options.models is None else [name.strip() for name in options.models.split(",")],
            methods=None if options.methods is None else methods_of(options.methods),
            targets=None if options.targets is None else targets_of(options.targets),
            seed=options.seed,
            progress=show,
        )
    comparison = result.comparison
    has_succeeded = comparison.status == "succeeded"
    if options.output is not None and has_succeeded:
        write(options.output, result.sheet(**options.picture))
    if options.json:
        print_json(comparison)
        return 0 if has_succeeded else EXIT_FAILED
    console.print(render_comparison(comparison))
    if not has_succeeded:
        return EXIT_FAILED
    place = ("sheet", client.url + comparison.links.sheet) if options.output is None else ("written", options.output)
    console.print(Text.assemble((f"{place[0]:<12}", "dim"), str(place[1])), soft_wrap=True)
    return 0
