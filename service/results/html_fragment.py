"""A text or table result as an HTML fragment, to be put into a notebook or a page.

It is escaped, brings its own colours so that it is legible on dark pages too, and holds no script, link or style sheet.
"""

import re
from collections.abc import Iterator, Sequence
from html import escape

from schemas.errors import InvalidRequest, NotAcceptable
from schemas.results import FeatureScore, ResultMeta, TextScore
from schemas.sentences import Sentence
from service.drawing import typeface
from service.drawing.captions import CAPTIONS
from service.drawing.colormaps import solid, tint
from service.drawing.feature_bars import Bar, strongest
from service.languages import Language
from service.results.formats import sent_text
from service.results.overlay_caption import overlay_caption
from service.tuning import MAX_DRAWN_FEATURES

BOX = (
    "font-family:Inter,system-ui,sans-serif;font-size:15px;line-height:1.75;color:#262626;background:#fff;padding:12px;"
    "border-radius:6px;max-width:60em"
)
SQUARE = "display:inline-block;width:10px;height:10px"
FAINT = "color:#6e6e6e"
CELL = "padding:2px 8px;border:0;text-align:right;background:#fff;color:#262626"
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")  # of which HTML allows none


def html_fragment(meta: ResultMeta, payload: bytes, example: int, language: Language) -> bytes:
    """One `<div>` of a text with coloured words, or of a table row with bars. Red raises the output, blue lowers it.

    Raises:
        InvalidRequest: the job has no such example.
        NotAcceptable: the input is neither a text nor a table.
    """
    listed = meta.words if meta.words is not None else meta.features
    if listed is None:
        raise NotAcceptable("an HTML fragment shows texts and tables; this result is a picture or a tensor")
    if example >= len(listed):
        raise InvalidRequest.at(
            ["query", "example"], Sentence("the job has {examples} examples, counted from 0", examples=len(listed))
        )
    parts = [f'<div class="attribution" lang="{language}" style="{BOX}">', *_caption(meta, example, language)]
    if meta.words is not None:
        parts += _text(sent_text(payload, example), meta.words[example], language)
    elif meta.features is not None:
        parts += _table(meta.features[example], language)
    parts += [*_legend(language), "</div>\n"]
    return "\n".join(parts).encode("utf-8", "replace")


def _caption(meta: ResultMeta, example: int, language: Language) -> Iterator[str]:
    for row, line in enumerate(overlay_caption(meta, example, language)):
        style = "" if row == 0 else f";{FAINT}"
        yield f'<div style="font-size:13px{style}">{_safe(" · ".join(filter(None, line)))}</div>'


def _text(text: str, scores: Sequence[TextScore], language: Language) -> Iterator[str]:
    """The text in one paragraph; each scored word is a span whose title is its score."""
    largest = max((abs(score.score) for score in scores), default=0.0)
    pieces, end = [], 0
    for score in sorted(scores, key=lambda one: one.start):
        if not end <= score.start < score.end <= len(text):
            continue
        pieces.append(_safe(text[end : score.start]))
        share = score.score / largest if largest else 0.0
        told = typeface.number(score.score, language, plus=True)
        pieces.append(
            f'<span title="{told}" style="background:{_hex(tint(share))};border-radius:3px">'
            f"{_safe(text[score.start : score.end])}</span>"
        )
        end = score.end
    pieces.append(_safe(text[end:]))
    yield f'<p dir="auto" style="margin:8px 0;white-space:pre-wrap;overflow-wrap:anywhere">{"".join(pieces)}</p>'


def _table(features: Sequence[FeatureScore], language: Language) -> Iterator[str]:
    """A row for each of the strongest columns: name, value, score and bar."""
    bars = strongest(features, MAX_DRAWN_FEATURES, language)
    largest = max((abs(bar.score) for bar in bars), default=0.0) or 1.0
    yield '<table style="border-collapse:collapse;margin:8px 0;background:#fff">'
    yield from (_table_row(bar, 100 * abs(bar.score / largest)) for bar in bars)
    yield "</table>"


def _table_row(bar: Bar, percent: float) -> str:
    drawn = f'<div style="height:12px;width:{percent:.1f}%;background:{_hex(solid(bar.score))}"></div>'
    cells = f'<th scope="row" style="{CELL};font-weight:normal;overflow-wrap:anywhere">{_safe(bar.name)}</th>'
    cells += f'<td style="{CELL};{FAINT}">{_safe(bar.value)}</td><td style="{CELL}">{_safe(bar.label)}</td>'
    return f'<tr>{cells}<td style="{CELL};width:16em;text-align:left">{drawn}</td></tr>'


def _legend(language: Language) -> Iterator[str]:
    words = CAPTIONS[language]
    squares = [
        f'<span style="{SQUARE};background:{_hex(solid(sign))}"></span> {words[word]}'
        for word, sign in (("lowers", -1.0), ("raises", 1.0))
    ]
    yield f'<div style="font-size:13px;{FAINT}">{" &nbsp; ".join(squares)}</div>'


def _safe(text: str) -> str:
    return escape(CONTROLS.sub("", text), quote=True)


def _hex(color: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)
