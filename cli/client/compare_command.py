"""A comparison from the command line: sends the request, waits with a progress bar, prints where the cells agree."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.text import Text

from cli.client.agreement_table import render_comparison
from cli.client.error_messages import print_client_error, print_error
from cli.client.progress_bar import show_progress
from cli.client.request import BadArgument, choose_model, json_or_word, one_input, target_of
from cli.client.service import Refused, Service, Unreachable
from cli.console import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE, console, stderr
from schemas.models import InputKind

SHEET_SUFFIX = ".png"


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


def compare_and_print(options: CompareOptions, url: str) -> int:
    """Compares through the service at `url` and prints the result or the error. Returns the exit code."""
    try:
        with Service(url) as service:
            return _run(options, service)
    except BadArgument as error:
        print_error("The request is not valid", str(error))
        return EXIT_USAGE
    except (Refused, Unreachable) as error:
        return print_client_error(error)
    except KeyboardInterrupt:
        stderr.print("cancelled")
        return EXIT_INTERRUPTED


def _run(options: CompareOptions, service: Service) -> int:
    kind, given = one_input(options.file, options.text, options.features)
    _check_sheet(options.output)
    comparison = service.compare(_body(options, given, _models(options, service, kind)))
    try:
        comparison = show_progress(comparison, service.follow_comparison(comparison))
    except KeyboardInterrupt:
        service.cancel_comparison(comparison.id)
        raise
    console.print(render_comparison(comparison))
    if comparison.status != "succeeded":
        return EXIT_FAILED
    if options.output is None:
        console.print(Text.assemble(("sheet       ", "dim"), service.url + comparison.links.sheet), soft_wrap=True)
        return 0
    try:
        options.output.write_bytes(service.sheet(comparison.id, options.picture))
    except OSError as error:
        raise BadArgument(f"-o {options.output}: {error.strerror}") from None
    console.print(Text.assemble(("written     ", "dim"), (str(options.output), "bold")), soft_wrap=True)
    return 0


def _check_sheet(path: Path | None) -> None:
    """Refuses an output path that cannot be written, before anything is computed. Raises `BadArgument`."""
    if path is None:
        return
    if path.suffix.lower() != SHEET_SUFFIX:
        raise BadArgument(f"-o {path}: the name must end in {SHEET_SUFFIX}")
    if not path.parent.is_dir():
        raise BadArgument(f"-o {path}: there is no folder {path.parent}")


def _models(options: CompareOptions, service: Service, kind: InputKind) -> list[str]:
    if options.models is not None:
        return [name.strip() for name in options.models.split(",")]
    return [choose_model(service.models(), None, kind).name]


def _body(options: CompareOptions, given: dict[str, Any], models: list[str]) -> dict[str, Any]:
    body = {
        "models": models,
        "input": given,
        "methods": None if options.methods is None else _methods(options.methods),
        "targets": None if options.targets is None else _targets(options.targets),
        "seed": options.seed,
    }
    return {name: value for name, value in body.items() if value is not None}


def _methods(written: str) -> Any:
    """Names separated by commas, or a JSON list of methods with their parameters."""
    if written.lstrip().startswith("["):
        return json_or_word(written)
    return [name.strip() for name in written.split(",")]


def _targets(written: str) -> Any:
    """A JSON list of targets, or one target: labels contain commas."""
    return json_or_word(written) if written.lstrip().startswith("[") else [target_of(written)]
