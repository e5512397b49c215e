"""The first explanation: the sample picture, through the service's own API."""

from pathlib import Path

from rich.text import Text

from cli.client.explain_command import ExplainOptions, explain_and_print
from cli.console import console, stderr

SAMPLE = Path("efficientnet-lite0", "chelsea.jpg")
MODEL, METHOD = "efficientnet-lite0", "integrated_gradients"
OVERLAY = Path("out", "overlay.png")


def demonstrate(url: str, directories: list[Path], *, goes_on: bool) -> bool:
    """Explains the sample, writes the overlay and prints its path. Returns False on failure.

    If the service goes on, it also prints what to try next.
    """
    sample = next((path for path in (directory / SAMPLE for directory in directories) if path.is_file()), None)
    if sample is None:
        stderr.print(Text(f"no {SAMPLE} in {', '.join(map(str, directories))}: nothing to demonstrate"))
        return False
    OVERLAY.parent.mkdir(exist_ok=True)
    console.print(Text(f"Explaining {_shown(sample)}"), soft_wrap=True)
    if explain_and_print(ExplainOptions(file=sample, model=MODEL, method=METHOD, output=OVERLAY), url) != 0:
        return False
    if goes_on:
        command = f"curl -F image=@{_shown(sample)} -F model={MODEL} -F method={METHOD} '{url}/explain?wait=30'"
        console.print(
            f"\nOpen [bold]{url}/[/] in a browser, or try it from another terminal (Ctrl-C stops the service):"
        )
        console.print(Text(f"  {command}", style="bold"), soft_wrap=True)
    return True


def _shown(path: Path) -> str:
    """The path, relative to the working directory where that is shorter."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
