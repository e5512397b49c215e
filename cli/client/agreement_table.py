"""A comparison in the terminal: its cells, and how far each pair of them agrees."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from attribution_client.display.words import class_name
from attribution_client.wire.answers import Agreement, Cell, Comparison

STYLES = {"succeeded": "green", "failed": "red", "refused": "red", "cancelled": "yellow", "expired": "yellow"}
UNDEFINED = "-"


def render_comparison(comparison: Comparison) -> RenderableType:
    """The cells by number, then one table of all pairs."""
    parts: list[RenderableType] = [_cells(comparison.cells)]
    if comparison.agreement:
        parts += [Text(), _pairs(comparison.agreement, comparison.cells)]
    return Group(*parts)


def _cells(cells: list[Cell]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("", style="bold cyan", justify="right")
    for name in ("method", "model", "explained", "status"):
        table.add_column(name, overflow="fold")
    for number, cell in enumerate(cells):
        status = Text(cell.status, STYLES.get(cell.status, ""))
        if cell.error is not None:
            status.append(f"  {cell.error.detail}", "default")
        target = ", ".join(class_name(one) for one in cell.target or [])
        name = str(cell.method.get("name", "the model's default"))
        table.add_row(str(number), Text(name), Text(cell.model), Text(target), status)
    return table


def _pairs(agreement: list[Agreement], cells: list[Cell]) -> Table:
    """The pairs, those that agree least last."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("agreement", no_wrap=True)
    for name in ("rank correlation", "strongest tenth shared", "same sign"):
        table.add_column(name, justify="right")
    for pair in sorted(agreement, key=lambda one: -(one.spearman if one.spearman is not None else -2.0)):
        first, second = (f"{number} {cells[number].method.get('name', '')}".strip() for number in pair.cells)
        figures = (_figure(pair.spearman), _percent(pair.strongest_tenth), _percent(pair.signs))
        table.add_row(Text(f"{first} and {second}"), *figures)
    return table


def _figure(value: float | None) -> str:
    return UNDEFINED if value is None else f"{value:+.2f}"


def _percent(share: float | None) -> str:
    return UNDEFINED if share is None else f"{share:.0%}"
