"""The attribution methods, in the terminal: all of them in a table, or one with its parameters."""

import difflib

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from attribution_client import Client, InputError
from attribution_client.wire.answers import MethodCatalogue, MethodGuide
from cli.client.calling import call
from cli.client.print_json import print_json
from cli.console import console

HIDDEN = {"name"}  # of the parameters: it selects the method


def show_methods(url: str, *, name: str | None, language: str | None, as_json: bool) -> int:
    """Prints the guides of all methods, or of one. Returns the exit code."""

    def show(client: Client) -> int:
        catalogue = client.methods(language)
        if name is None:
            print_json(catalogue) if as_json else console.print(table(catalogue))
            return 0
        guide = _named(catalogue, name)
        print_json(guide) if as_json else console.print(page(guide, catalogue.columns))
        return 0

    return call(url, show)


def _named(catalogue: MethodCatalogue, name: str) -> MethodGuide:
    """The guide of a method. Raises `InputError` with the nearest name where there is none."""
    guides = {guide.name: guide for guide in catalogue.methods}
    if name in guides:
        return guides[name]
    near = difflib.get_close_matches(name, guides, n=1)
    raise InputError(f"no method {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))


def table(catalogue: MethodCatalogue) -> Table:
    """Each method with the first sentence of its idea, grouped by family."""
    shown = Table.grid(padding=(0, 2, 0, 0))
    shown.add_column(no_wrap=True)
    shown.add_column(overflow="fold")
    family = None
    for guide in catalogue.methods:
        if guide.family != family:
            family = guide.family
            shown.add_row(Text(guide.family_title, "bold"), "")
        shown.add_row(Text(f"  {guide.name}", "cyan"), Text(guide.idea.partition(". ")[0].removesuffix(".")))
    return shown


def page(guide: MethodGuide, columns: dict[str, str]) -> RenderableType:
    """One method: the idea, when to use it, the paper, and its parameters with their defaults."""
    facts = Table.grid(padding=(0, 2, 0, 0))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    for name in ("idea", "cost", "typical_results", "analogy", "when", "when_not", "reference"):
        facts.add_row(columns.get(name, name.replace("_", " ")), Text(str(getattr(guide, name))))
    parameters = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    parameters.add_column("", no_wrap=True, style="cyan")
    parameters.add_column("", no_wrap=True, style="dim")
    parameters.add_column("", overflow="fold")
    for name, schema in guide.parameters.get("properties", {}).items():
        if name not in HIDDEN:
            default = "" if schema.get("default") is None else str(schema["default"])
            parameters.add_row(Text(f"  {name}"), Text(default), Text(str(schema.get("description", ""))))
    return Group(Text(f"{guide.name}: {guide.title}", "bold"), facts, Text(), parameters)
