"""A result or a comparison as an HTML fragment for a notebook.

Everything that a service sent is escaped, and pictures stand in it as data, so the fragment runs and loads nothing.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from html import escape
from typing import TYPE_CHECKING

from attribution_client.display.words import WORDS, Language, class_name, percent, score_text
from attribution_client.wire.answers import Comparison

if TYPE_CHECKING:
    from attribution_client.explained import Explained

MAX_EXAMPLES_SHOWN = 4
RUNNERS_UP = 3
BOX = "font-family:system-ui,sans-serif;font-size:14px;color:#262626;background:#fff;padding:8px;max-width:60em"
NAME = (
    "text-align:left;vertical-align:top;white-space:nowrap;font-weight:normal;color:#6e6e6e;padding:1px 12px 1px 0;"
    "background:#fff;border:0"
)
VALUE = "text-align:left;padding:1px 0;background:#fff;color:#262626;border:0"


def result_html(result: Explained, language: Language, png: bytes | None, problem: str = "") -> str:
    """The picture of a result, then what the picture does not say: other predictions, the method, warnings."""
    return _fragment(language, png, _alternative(result), _facts(result, language, problem))


def comparison_html(comparison: Comparison, language: Language, png: bytes | None, problem: str = "") -> str:
    """The sheet of a comparison, then how far each pair of its cells agrees."""
    words = WORDS[language]
    names = [str(cell.method.get("name", "")) for cell in comparison.cells]
    rows = [
        (
            f"{names[pair.cells[0]]}, {names[pair.cells[1]]}",
            words["undefined"] if pair.spearman is None else f"{pair.spearman:+.2f}",
        )
        for pair in comparison.agreement or []
    ]
    failed = [(names[number], cell.error.detail) for number, cell in enumerate(comparison.cells) if cell.error]
    head = [(words["agreement"], "")] if rows else []
    note = [(words["no_picture"], problem)] if problem else []
    return _fragment(language, png, ", ".join(names), [*head, *rows, *failed, *note])


def _fragment(language: Language, png: bytes | None, alternative: str, rows: Iterable[tuple[str, str]]) -> str:
    parts = [f'<div class="attribution" lang="{language}" style="{BOX}">']
    if png is not None:
        data = base64.b64encode(png).decode()
        style = "max-width:100%;height:auto;display:block"
        parts.append(f'<img src="data:image/png;base64,{data}" alt="{escape(alternative)}" style="{style}">')
    parts.append('<table style="border-collapse:collapse;margin-top:6px;background:#fff">')
    parts += [
        f'<tr><th scope="row" style="{NAME}">{escape(name)}</th><td style="{VALUE}">{escape(value)}</td></tr>'
        for name, value in rows
    ]
    return "".join([*parts, "</table></div>"])


def _facts(result: Explained, language: Language, problem: str) -> Iterator[tuple[str, str]]:
    words = WORDS[language]
    for example in result.predictions[:MAX_EXAMPLES_SHOWN]:
        shown = [f"{one.label or one.index} {score_text(one, result.card)}" for one in example[:RUNNERS_UP]]
        yield words["prediction"], ", ".join(shown)
    if result.target:
        yield words["explained"], ", ".join(map(class_name, result.target[:MAX_EXAMPLES_SHOWN]))
    parameters = [
        f"{name}={_short(value)}" for name, value in result.method.items() if name != "name" and _telling(value)
    ]
    yield words["method"], "  ".join([str(result.method.get("name", "")), *parameters])
    yield words["model"], f"{result.explanation.model.name} {result.explanation.model.version}"
    if result.completeness_error is not None:
        yield words["missed"], percent(result.completeness_error)
    for warning in result.warnings:
        yield words["warning"], warning
    if problem:
        yield words["no_picture"], problem
        for name, array in result.arrays.items():
            yield f"{words['shape']} {name}", str(array.shape)


def _alternative(result: Explained) -> str:
    """What stands for the picture where it cannot be seen: the strongest words or columns."""
    named = [(one.text, one.score) for one in result.words] or [(one.name, one.score) for one in result.features]
    strongest = sorted(named, key=lambda one: -abs(one[1]))[:10]
    return ", ".join(f"{name} {score:+.3g}" for name, score in strongest) or repr(result)


def _telling(value: object) -> bool:
    """Whether a parameter is in use: None and 0 stand for what the request does not want."""
    return value is not None and (isinstance(value, bool) or value != 0)


def _short(value: object) -> str:
    return "tensor" if isinstance(value, dict) else str(value)
