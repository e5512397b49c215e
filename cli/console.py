"""Output of the command: results to stdout, errors to stderr; exit codes."""

from typing import NoReturn

import typer
from rich.console import Console
from rich.text import Text

from schemas.printable import printable_lines

console = Console(highlight=False)
stderr = Console(stderr=True, highlight=False)

EXIT_FAILED = 1  # the job, the model or the service failed
EXIT_USAGE = 2  # the request or a setting is wrong
EXIT_UNREACHABLE = 3  # no service answers
EXIT_INTERRUPTED = 130


def fail(message: str, code: int) -> NoReturn:
    """Prints the reason and exits."""
    stderr.print(Text("error: ", style="bold red") + Text(printable_lines(message, margin="")))
    raise typer.Exit(code)
