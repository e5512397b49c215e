"""One explanation from the command line: sends the request, waits with a progress bar, prints the result."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.text import Text

from cli.client.error_messages import print_client_error, print_error
from cli.client.output_files import check_output, write_output
from cli.client.progress_bar import show_progress
from cli.client.request import BadArgument, choose_model, json_or_word, method_fields, one_input, target_of
from cli.client.service import Refused, Service, Unreachable
from cli.client.terminal import render
from cli.console import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE, console, stderr
from schemas.jobs import JobFailure
from schemas.models import ModelCard


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


class JobEnded(Exception):
    """The job did not succeed."""

    def __init__(self, failure: JobFailure | None) -> None:
        self.failure = failure or JobFailure(code="cancelled", title="The job was cancelled", detail="by someone else")


def explain_and_print(options: ExplainOptions, url: str) -> int:
    """Explains through the service at `url` and prints the result or the error. Returns the exit code."""
    try:
        with Service(url) as service:
            _run(options, service)
    except BadArgument as error:
        print_error("The request is not valid", str(error))
        return EXIT_USAGE
    except (Refused, Unreachable) as error:
        return print_client_error(error)
    except JobEnded as error:
        print_error(f"{error.failure.title} ({error.failure.code})", error.failure.detail)
        return EXIT_FAILED
    except KeyboardInterrupt:
        stderr.print("cancelled")
        return EXIT_INTERRUPTED
    return 0


def _run(options: ExplainOptions, service: Service) -> None:
    kind, given = one_input(options.file, options.text, options.features)
    check_output(options.output)
    card = choose_model(service.models(), options.model, kind)
    job = service.submit(_body(options, given, card))
    try:
        job = show_progress(job, service.follow(job))
    except KeyboardInterrupt:
        service.cancel(job.id)
        raise
    if job.status != "succeeded":
        raise JobEnded(job.error)
    result = service.explanation(job.id)
    text = given.get("text")
    console.print(render(result, card, text=text, top=options.top))
    if job.links.quality:
        console.print(Text.assemble(("curves      ", "dim"), service.url + job.links.quality), soft_wrap=True)
    if options.output is not None:
        write_output(service, job, options.output, options.picture)
        console.print(Text.assemble(("written     ", "dim"), (str(options.output), "bold")), soft_wrap=True)
    elif kind == "image" and job.links.overlay:
        console.print(Text.assemble(("picture     ", "dim"), service.url + job.links.overlay), soft_wrap=True)


def _body(options: ExplainOptions, given: dict[str, Any], card: ModelCard) -> dict[str, Any]:
    method = method_fields(options.method, options.written_parameters, card, **options.parameters)
    body = {
        "model": card.name,
        "input": given,
        "method": method,
        "target": None if options.target is None else target_of(options.target),
        "quality": [json_or_word(metric) for metric in options.quality] or None,
        "seed": options.seed,
    }
    return {key: value for key, value in body.items() if value is not None}
