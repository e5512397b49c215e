"""`attribution models check`: runs every method of every model once, and prints each outcome as it comes."""

from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from cli.check_process import supervised_check
from cli.console import EXIT_FAILED, EXIT_USAGE, console, fail, stderr
from cli.model_directories import NoModels, model_directories
from schemas.methods import METHOD_NAMES
from workers.jobs.check_progress import CheckRow, CheckStarted, CheckState

STYLES: dict[CheckState, str] = {"ok": "green", "not offered": "yellow", "failed": "bold red"}
INDENT = 2
STATE_WIDTH = max(map(len, STYLES)) + 2
METHOD_WIDTH = max(map(len, METHOD_NAMES)) + 2


def run_checks(directories: list[Path], limit_s: float, *, verbose: bool = False) -> int:
    """Prints a row for each method when it is complete. Returns the exit code: 1 when anything failed."""
    try:
        directories = model_directories(directories)
    except NoModels as error:
        fail(str(error), EXIT_USAGE)
    report = Report(console, verbose=verbose)
    where = console if console.is_terminal else stderr  # a status line and the rows share a terminal
    with where.status("Loading torch") as status:
        for event in supervised_check(directories, limit_s, shows_output=verbose):
            if isinstance(event, CheckStarted):
                status.update(f"{event.model} {event.method or 'is loaded'}")
            else:
                report.add(event)
    report.end()
    return EXIT_FAILED if report.counts["failed"] else 0


class Report:
    """Prints rows on a console, grouped by model.

    A reason is printed once per model; other methods with the same reason are listed at the end of the model. A verbose
    report prints every method with its own.
    """

    def __init__(self, out: Console, *, verbose: bool = False) -> None:
        self._verbose = verbose
        self.counts: Counter[CheckState] = Counter()
        self._out = out
        self._model: str | None = None
        self._reasons: dict[tuple[CheckState, str, str], list[str]] = {}  # the methods that share each reason

    def add(self, row: CheckRow) -> None:
        """Prints a row, or keeps its method for the end of the model when its reason has been printed."""
        if row.model != self._model:
            self._end_model()
            self._model = row.model
            self._out.print(Text(row.model, style="bold"))
        self.counts[row.state] += 1
        if row.state != "ok" and not self._verbose:
            methods = self._reasons.setdefault((row.state, row.detail, row.trace), [])
            methods.append(row.method)
            if len(methods) > 1:
                return
        self._print_row(row)

    def end(self) -> None:
        """Prints the end of the last model, and how many rows there were of each state."""
        self._end_model()
        totals = (f"{self.counts[state]} {state}" for state in STYLES)
        self._out.print(Text(", ".join(totals), style="bold"))

    def _print_row(self, row: CheckRow) -> None:
        line = Text(" " * INDENT)
        line.append(f"{row.state:<{STATE_WIDTH}}", style=STYLES[row.state])
        line.append(f"{row.method or 'to load':<{METHOD_WIDTH}}")
        if row.rows or row.state == "ok":
            line.append(f"{row.rows:>8} rows")
        if row.seconds:
            line.append(f"{row.seconds:>9.2f} s")
        line.rstrip()
        self._out.print(line, soft_wrap=True)
        self._print_below(row.detail)
        self._print_below(row.trace, wrap=False)

    def _end_model(self) -> None:
        for (state, _, _), methods in self._reasons.items():
            if more := methods[1:]:
                count = f"{len(more)} more method{'s' if len(more) > 1 else ''}"
                line = Text(" " * INDENT)
                line.append(f"{state:<{STATE_WIDTH}}", style=STYLES[state])
                line.append(f"the same as {methods[0]} for {count}:")
                self._out.print(line, soft_wrap=True)
                self._print_below(", ".join(more))
        self._reasons.clear()

    def _print_below(self, text: str, *, wrap: bool = True) -> None:
        """Prints a text below a row's method, wrapped or, for code, line by line."""
        left = INDENT + STATE_WIDTH
        if not text:
            return
        if wrap:
            self._out.print(Padding(Text(text, style="dim"), (0, 0, 0, left)))
            return
        for line in text.splitlines():
            self._out.print(Text(" " * left + line, style="dim"), soft_wrap=True)
