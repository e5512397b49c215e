"""The models of a running service, in the terminal."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from rich.console import Group
from rich.table import Table
from rich.text import Text

from attribution_client import Client
from attribution_client.connection import KEY_VARIABLE
from attribution_client.wire.answers import ModelCard, ModelState, Residence
from cli.client.calling import call
from cli.client.print_json import print_json
from cli.console import EXIT_FAILED, EXIT_USAGE, console, fail, stderr

STYLES = {
    "ready": "green",
    "idle": "cyan",
    "asleep": "blue",
    "loading": "yellow",
    "unloaded": "dim",
    "failed": "bold red",
}
UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def show_models(url: str, *, as_json: bool = False) -> int:
    """Prints the table of models. Returns the exit code."""

    def show(client: Client) -> int:
        models = client.models()
        if as_json:
            print_json(models)
        else:
            console.print(table(models, datetime.now(UTC)))
        return 0

    return call(url, show)


def send_admin_command(
    action: Literal["load", "unload"], name: str, version: str | None, wait_s: float, url: str
) -> int:
    """Sends the command, waits for the workers and prints the outcome. Returns the exit code."""
    if not os.environ.get(KEY_VARIABLE):
        fail(f"set {KEY_VARIABLE} to a key with the scope admin", EXIT_USAGE)

    def send(client: Client) -> int:
        with stderr.status(f"{action}ing {name}"):
            answer = (client.load if action == "load" else client.unload)(name, version, wait_s=wait_s)
        console.print(table(answer.models, datetime.now(UTC)))
        if not answer.done:
            stderr.print("[yellow]not every worker has acted yet[/]; see: attribution models list")
            return EXIT_FAILED
        wanted = {"ready", "idle", "asleep"} if action == "load" else {"unloaded"}
        return 0 if all(one.status in wanted for one in answer.models) else EXIT_FAILED

    return call(url, send)


def table(models: Sequence[ModelCard | ModelState], now: datetime) -> Group:
    """One line per model and worker, then the models that failed to load, with reasons."""
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("model", "version", "status"):
        shown.add_column(name, no_wrap=True)
    for name in ("memory", "loads", "evictions", "last use"):
        shown.add_column(name, justify="right", no_wrap=True)
    shown.add_column("worker", style="dim", overflow="ellipsis", no_wrap=True)
    errors = []
    for model in models:
        places = model.residence or [Residence(worker="", status=model.status, error=model.error)]
        for index, place in enumerate(places):
            status = model.status if len(places) == 1 else place.status
            shown.add_row(
                *((Text(model.name, "bold"), model.version) if index == 0 else ("", "")),
                Text(status, STYLES.get(status, "")),
                "" if place.bytes is None else size(place.bytes),
                str(place.loads or ""),
                str(place.evictions or ""),
                ago(place.last_used_at, now),
                place.worker,
            )
            if place.error:
                errors.append(Text.assemble((f"{model.name} {model.version}  ", "bold red"), place.error))
    return Group(shown, *([Text(), *errors] if errors else []))


def size(count: float) -> str:
    """A number of bytes in a readable unit."""
    power = 0
    while count >= 1024 and power < len(UNITS) - 1:
        count, power = count / 1024, power + 1
    return f"{count:.0f} {UNITS[power]}" if power == 0 else f"{count:.1f} {UNITS[power]}"


def ago(moment: str | None, now: datetime) -> str:
    """How long ago, in the largest unit that fits."""
    if moment is None:
        return "never"
    seconds = max(0, int((now - datetime.fromisoformat(moment)).total_seconds()))
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit} ago"
    return f"{seconds} s ago"
