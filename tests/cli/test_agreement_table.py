"""A comparison in the terminal."""

from io import StringIO
from typing import Any

from rich.console import Console

from attribution_client.wire.answers import (
    Agreement,
    Cell,
    ClassRef,
    Comparison,
    ComparisonLinks,
    JobFailure,
    Progress,
)
from cli.client.agreement_table import render_comparison


def cell(name: str, **more: Any) -> Cell:
    fields: dict[str, Any] = {"job": "x", "status": "succeeded", "target": [ClassRef(index=1, label="cat")], **more}
    return Cell(model="net", version="1", method={"name": name}, **fields)


def shown(cells: list[Cell], agreement: list[Agreement] | None) -> str:
    comparison = Comparison(
        id="x",
        status="succeeded",
        progress=Progress(1, 1, 1.0),
        created_at="2026-01-01T00:00:00Z",
        cells=cells,
        agreement=agreement,
        links=ComparisonLinks(self="/comparisons/x", sheet="/comparisons/x/sheet.png"),
    )
    stream = StringIO()
    Console(file=stream, width=120, no_color=True).print(render_comparison(comparison))
    return stream.getvalue()


def test_cells_and_pairs_most_alike_first() -> None:
    text = shown(
        [cell("saliency"), cell("lime"), cell("lrp")],
        [
            Agreement(cells=[0, 1], spearman=-0.25, strongest_tenth=0.125, signs=None),
            Agreement(cells=[0, 2], spearman=0.5, strongest_tenth=1.0, signs=0.5),
            Agreement(cells=[1, 2], spearman=None, strongest_tenth=None, signs=None),
        ],
    )
    lines = [line.split() for line in text.splitlines()]
    assert ["0", "saliency", "net", "cat", "succeeded"] in lines
    pairs = [line for line in lines if "and" in line]
    assert pairs == [
        ["0", "saliency", "and", "2", "lrp", "+0.50", "100%", "50%"],
        ["0", "saliency", "and", "1", "lime", "-0.25", "12%", "-"],
        ["1", "lime", "and", "2", "lrp", "-", "-", "-"],
    ]


def test_a_refused_cell_says_why_and_no_markup_is_read() -> None:
    failure = JobFailure(code="x", title="x", detail="not [bold]supported[/] here")
    text = shown([cell("lrp", job=None, status="refused", target=None, error=failure)], None)
    assert "refused  not [bold]supported[/] here" in text
    assert "agreement" not in text
