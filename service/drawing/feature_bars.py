"""Draws the columns of a table row as bars, the strongest attributions first."""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.results import FeatureScore
from service.drawing import typeface
from service.drawing.captions import CAPTIONS
from service.drawing.colorbar import FAINT, INK
from service.drawing.colormaps import solid
from service.drawing.sheet import Sheet, Title, encoded
from service.drawing.svg_pen import Pen
from service.languages import Language
from service.tuning import MAX_DRAWN_FEATURES

BARS = 15  # of a drawing, besides that of the sum of the others


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar. `name` and `value` stand on its left; `value` is empty for the sum of several columns."""

    name: str
    value: str
    score: float
    label: str  # the score in words


@dataclass(frozen=True, slots=True)
class Axis:
    """The horizontal axis: the pixel of score 0, and the pixels per unit of the score."""

    zero: float
    per_unit: float

    @classmethod
    def over(cls, bars: list[Bar], left: int, right: int, gap: int, size: int) -> "Axis":
        """The axis that fits all bars between `left` and `right`, with the label at each bar's end."""
        span = max((abs(bar.score) for bar in bars), default=0.0) or 1.0
        low = max((-bar.score / span for bar in bars if bar.score < 0), default=0.0)
        high = max((bar.score / span for bar in bars if bar.score > 0), default=0.0)
        below = max((typeface.width(bar.label, size) + gap for bar in bars if bar.score < 0), default=0)
        above = max((typeface.width(bar.label, size) + gap for bar in bars if bar.score >= 0), default=0)
        length = max(1, right - left - below - above)
        share = length / (low + high or 1.0)
        return cls(left + below + low * share, share / span)

    def at(self, score: float) -> int:
        return round(self.zero + score * self.per_unit)


def render_bars(
    features: Sequence[FeatureScore],
    *,
    title: Title = None,
    top: int = BARS,
    lang: Language = "en",
    size: int = 720,
    vector: bool = False,
) -> bytes:
    """Draw a PNG of horizontal bars, sorted by absolute score. Red raises the output, blue lowers it.

    The bars are the first `top` columns, at most `MAX_DRAWN_FEATURES`, and one bar for the sum of the others.

    Args:
        size: width in pixels, at least 64.
        vector: draw an SVG document instead.
    """
    sheet = Sheet(size)
    bars = strongest(features, min(top, MAX_DRAWN_FEATURES), lang)
    pitch = 2 * sheet.text
    above = sheet.margin + sheet.title_height(title)
    below = above + pitch * max(1, len(bars))
    height = below + sheet.legend_height + sheet.margin // 2
    surface, pen = sheet.surface(height, title, vector=vector)
    _draw_bars(pen, sheet, bars, above, lang)
    return encoded(surface)


def _draw_bars(draw: Pen, sheet: Sheet, bars: list[Bar], above: int, lang: Language) -> None:
    """Draw the bars with names, axis and legend, from the pixel row `above` down."""
    pitch = 2 * sheet.text
    below = above + pitch * max(1, len(bars))
    names = _names_width(bars, sheet)
    left, right = sheet.margin + names + sheet.text, sheet.width - sheet.margin
    axis = Axis.over(bars, left, right, sheet.text // 2, sheet.text)
    for row, bar in enumerate(bars):
        middle = above + row * pitch + pitch // 2
        _draw_name(draw, sheet, bar, middle, names)
        _draw_bar(draw, sheet, bar, middle, axis)
    draw.line((axis.at(0), above, axis.at(0), below), fill=FAINT)
    _draw_legend(draw, sheet, below + sheet.legend_height // 2, lang)


def strongest(features: Sequence[FeatureScore], top: int, lang: Language) -> list[Bar]:
    """The first `top` columns by absolute score, and one bar for the sum of the others."""
    ordered = sorted(features, key=lambda feature: -abs(feature.score))
    if len(ordered) == top + 1:  # one more bar takes no more space than a sum of one column
        top += 1
    bars = [_bar(feature.name, typeface.number(feature.value, lang), feature.score, lang) for feature in ordered[:top]]
    if rest := ordered[top:]:
        name = CAPTIONS[lang]["others"].format(count=len(rest))
        bars.append(_bar(name, "", sum(feature.score for feature in rest), lang))
    return bars


def _bar(name: str, value: str, score: float, lang: Language) -> Bar:
    return Bar(name, value, score, typeface.number(score, lang, plus=True))


def _value_text(bar: Bar) -> str:
    return f" = {bar.value}" if bar.value else ""


def _names_width(bars: list[Bar], sheet: Sheet) -> int:
    """The width of the names' column: that of the widest name, at most half the sheet."""
    widest = max(
        (
            typeface.width(typeface.shorten(bar.name, sheet.text, sheet.width) + _value_text(bar), sheet.text)
            for bar in bars
        ),
        default=0,
    )
    return min(widest, sheet.room // 2)


def _draw_name(draw: Pen, sheet: Sheet, bar: Bar, middle: int, room: int) -> None:
    """Draw the name and, in grey, the value, right-aligned. A long name is shortened, the value is not."""
    letters, right = typeface.font(sheet.text), sheet.margin + room
    value = typeface.shorten(_value_text(bar), sheet.text, room)
    across = typeface.width(" " + value, sheet.text) if value else 0
    draw.text((right, middle), value, font=letters, fill=FAINT, anchor="rm")
    name = typeface.shorten(bar.name, sheet.text, room - across)
    draw.text((right - across, middle), name, font=letters, fill=INK, anchor="rm")


def _draw_bar(draw: Pen, sheet: Sheet, bar: Bar, middle: int, axis: Axis) -> None:
    zero, end = axis.at(0), axis.at(bar.score)
    half = round(0.62 * sheet.text)
    fill = solid(bar.score)
    if end != zero:
        draw.rectangle((min(zero, end), middle - half, max(zero, end), middle + half), fill=fill)
    gap, anchor = (sheet.text // 2, "lm") if bar.score >= 0 else (-(sheet.text // 2), "rm")
    draw.text((end + gap, middle), bar.label, font=typeface.font(sheet.text), fill=INK, anchor=anchor)


def _draw_legend(draw: Pen, sheet: Sheet, middle: int, lang: Language) -> None:
    """Draw a square of each colour with its meaning, as many as fit."""
    left, half, size = sheet.margin, sheet.text // 3, sheet.text
    for word, sign in (("lowers", -1.0), ("raises", 1.0)):
        meaning = CAPTIONS[lang][word]
        end = left + 3 * half + typeface.width(meaning, size)
        if end > sheet.width - sheet.margin:
            return
        draw.rectangle((left, middle - half, left + 2 * half, middle + half), fill=solid(sign))
        draw.text((left + 3 * half, middle), meaning, font=typeface.font(size), fill=FAINT, anchor="lm")
        left = end + size
