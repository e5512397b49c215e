"""Error messages in the terminal."""

from rich.panel import Panel
from rich.text import Text

from attribution_client.errors import AttributionError, InputError, JobError, ServiceError, Unreachable
from cli.console import EXIT_FAILED, EXIT_UNREACHABLE, EXIT_USAGE, stderr
from schemas.printable import printable_lines


def print_error(title: str, detail: str) -> None:
    """Prints a framed message on stderr."""
    shown = Text(printable_lines(detail, margin=""))
    stderr.print(Panel(shown, title=Text(title, style="bold red"), title_align="left", border_style="red"))


def print_client_error(error: AttributionError) -> int:
    """Prints why the service refused, failed or could not be reached. Returns the exit code."""
    if isinstance(error, Unreachable):
        print_error("No service", f"{error}\nstart one here with: attribution serve")
        return EXIT_UNREACHABLE
    if isinstance(error, InputError):
        print_error("The request is not valid", str(error))
        return EXIT_USAGE
    if isinstance(error, JobError):
        print_error(f"{error.title} ({error.code})", error.detail)
        return EXIT_FAILED
    if isinstance(error, ServiceError):
        retry = [] if error.retry_after_s is None else [f"try again in {error.retry_after_s:g} s"]
        print_error(f"{error.title} ({error.status})", "\n".join([error.told, *retry]))
        return EXIT_USAGE if error.status < 429 else EXIT_FAILED
    print_error("The answer cannot be used", str(error))
    return EXIT_FAILED
