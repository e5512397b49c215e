"""Error messages in the terminal."""

from rich.panel import Panel
from rich.text import Text

from cli.client.service import Refused, Unreachable
from cli.console import EXIT_FAILED, EXIT_UNREACHABLE, EXIT_USAGE, stderr


def print_error(title: str, detail: str) -> None:
    """Prints a framed message on stderr."""
    stderr.print(Panel(Text(detail), title=Text(title, style="bold red"), title_align="left", border_style="red"))


def print_client_error(error: Refused | Unreachable) -> int:
    """Prints why the service refused or could not be reached. Returns the exit code."""
    if isinstance(error, Unreachable):
        print_error("No service", f"{error}\nstart one here with: attribution serve")
        return EXIT_UNREACHABLE
    fields = [f"{'.'.join(map(str, one.loc))}: {one.msg}" for one in error.problem.errors or []]
    retry = [f"try again in {error.retry_after} s"] if error.retry_after else []
    detail = [] if error.problem.detail in fields else [error.problem.detail]
    print_error(f"{error.problem.title} ({error.problem.status})", "\n".join([*detail, *fields, *retry]))
    return EXIT_USAGE if error.problem.status < 429 else EXIT_FAILED
