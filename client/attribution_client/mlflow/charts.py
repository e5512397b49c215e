"""Charts that no service draws: global importances, and the elements of an input that is no picture, text or table."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from attribution_client.display.words import WORDS, Language

MAX_BARS = 20
MAX_LETTERS = 40  # of a name beside its bar
POSITIVE, NEGATIVE = "#b2182b", "#2166ac"  # the ends of the service's diverging colours


def bar_chart(names: Sequence[str], values: Sequence[float], title: str, axis: str) -> bytes:
    """Horizontal bars, the first at the top, as PNG. At most `MAX_BARS` are drawn."""
    names, values = [_short(name) for name in names[:MAX_BARS]], values[:MAX_BARS]
    figure = Figure(figsize=(8, 1.4 + 0.3 * max(1, len(names))), dpi=120, layout="constrained")
    axes = figure.subplots()
    places = range(len(names))
    colors = [POSITIVE if value >= 0 else NEGATIVE for value in values]
    axes.barh(places, values, color=colors)
    axes.set_yticks(places, names, parse_math=False)
    axes.invert_yaxis()
    axes.axvline(0, color="#262626", linewidth=0.8)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(axis)
    axes.set_title(title, loc="left", fontsize=11, parse_math=False)
    return _png(figure)


def region_chart(importances: NDArray[Any], title: str, axis: str, language: Language) -> bytes:
    """A map (rows, columns) of importances as coloured squares with their numbers, as PNG."""
    words = WORDS[language]
    figure = Figure(figsize=(7, 6), dpi=120, layout="constrained")
    axes = figure.subplots()
    most = float(importances.max()) or 1.0
    drawn = axes.imshow(importances, cmap="Reds", vmin=0, vmax=most)
    for (row, column), value in _cells(importances):
        color = "white" if value > 0.6 * most else "#262626"
        axes.text(column, row, f"{value:.2g}", ha="center", va="center", fontsize=8, color=color)
    rows, columns = importances.shape
    axes.set_xticks(range(columns), [str(place + 1) for place in range(columns)])
    axes.set_yticks(range(rows), [str(place + 1) for place in range(rows)])
    axes.set_xlabel(words["column"])
    axes.set_ylabel(words["row"])
    axes.set_title(title, loc="left", fontsize=11, parse_math=False)
    figure.colorbar(drawn, label=axis)
    return _png(figure)


def _cells(importances: NDArray[Any]) -> list[tuple[tuple[int, int], float]]:
    rows, columns = importances.shape
    return [((row, column), float(importances[row, column])) for row in range(rows) for column in range(columns)]


def _short(name: str) -> str:
    """A name that fits beside its bar; what no font can draw is replaced."""
    printable = "".join(letter if letter.isprintable() else "?" for letter in name)
    return printable if len(printable) <= MAX_LETTERS else f"{printable[: MAX_LETTERS - 1]}…"


def _png(figure: Figure) -> bytes:
    stream = io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(stream, format="png")
    return stream.getvalue()
