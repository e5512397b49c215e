"""Draws deletion and insertion curves, with the areas below them."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10

from PIL import Image, ImageDraw

from schemas.metrics import Curve, Curves, DeletionInsertionMetric
from service.drawing import typeface
from service.drawing.captions import CAPTIONS
from service.drawing.colorbar import FAINT, INK
from service.drawing.colormaps import solid
from service.drawing.sheet import Sheet, Surface, Title, encoded
from service.drawing.svg_pen import Pen, SvgPen
from service.languages import Language

OVERSAMPLING = 3  # curves are drawn this many times larger and scaled down, which smooths their edges
HEIGHT = 0.5  # of the plot, as a share of the sheet's width
MAX_TICKS = 6
GRID = (228, 228, 228)
OPACITY = 48  # of the areas, out of 255
Color = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Frame:
    """The edges of the plot in pixels, and the outputs at its lower and upper edge."""

    left: int
    top: int
    right: int
    bottom: int
    low: float
    high: float

    def x(self, fraction: float) -> float:
        return self.left + fraction * (self.right - self.left)

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.bottom - min(1.0, max(0.0, share)) * (self.bottom - self.top)


def render_curves(
    metric: DeletionInsertionMetric,
    example: int,
    *,
    target: str,
    title: Title = None,
    notes: Sequence[str] = (),
    lang: Language = "en",
    size: int = 720,
    vector: bool = False,
) -> bytes:
    """Draw a PNG of both curves of one example. Insertion is red, deletion is blue.

    Args:
        target: the name of the target, for the label of the vertical axis.
        notes: lines of text below the plot.
        size: width in pixels, at least 64.
        vector: draw an SVG document instead.
    """
    sheet, words = Sheet(size), CAPTIONS[lang]
    curves = metric.examples[example]
    ticks = ticks_of([*curves.deletion.values, *curves.insertion.values], probability=metric.value == "probability")
    labels = [typeface.number(tick, lang) for tick in ticks]
    line = 2 * sheet.text
    legend = _legend(sheet, curves, lang)
    first = sheet.margin + sheet.title_height(title) + sheet.text
    top = first + len(legend) * line + round(0.9 * line)  # with the label of the vertical axis
    bottom = top + round(HEIGHT * sheet.width)
    left = sheet.margin + min(
        sheet.room // 3, max(typeface.width(label, sheet.text) for label in labels) + sheet.text // 2
    )
    frame = Frame(left, top, sheet.width - sheet.margin - sheet.text, bottom, ticks[0], ticks[-1])
    height = bottom + 2 * line + len(notes) * line + sheet.margin // 2
    surface, draw = sheet.surface(height, title, vector=vector)
    _draw_axes(draw, sheet, frame, list(zip(ticks, labels, strict=True)))
    for curve, color in ((curves.insertion, solid(1.0)), (curves.deletion, solid(-1.0))):
        _draw_curve(surface, frame, curve, metric.fractions, color, max(2, sheet.width // 300))
    for row, entries in enumerate(legend):
        _draw_legend(draw, sheet, first + row * line, entries)
    axis = words[metric.value].format(target=target) if target else words["only output"]
    _draw_line(draw, sheet, first + len(legend) * line, axis, FAINT)
    _draw_horizontal_label(draw, sheet, frame, words["taken"].format(unit=words[metric.unit]))
    for index, note in enumerate(notes):
        _draw_line(draw, sheet, bottom + 2 * line + index * line + sheet.text, note, FAINT)
    return encoded(surface)


def ticks_of(values: list[float], *, probability: bool) -> list[float]:
    """At most `MAX_TICKS` round numbers that span all values and zero. Probabilities end at 1."""
    low, high = min(0.0, *values), max(0.0, *values)
    span = (high - low) or 1.0
    power = 10.0 ** floor(log10(span / (MAX_TICKS - 2)))
    step = next(
        power * factor for factor in (1, 2, 2.5, 5, 10) if span <= (MAX_TICKS - 2) * power * factor * (1 + 1e-9)
    )
    first, last = floor(low / step + 1e-9), -floor(-(high or span) / step + 1e-9)
    ticks = [index * step for index in range(first, last + 1)]
    return [tick for tick in ticks if tick <= 1 + 1e-9] if probability else ticks


def _draw_axes(draw: Pen, sheet: Sheet, frame: Frame, ticks: list[tuple[float, str]]) -> None:
    letters = typeface.font(sheet.text)
    for value, label in ticks:
        y = round(frame.y(value))
        draw.line((frame.left, y, frame.right, y), fill=FAINT if value == 0 else GRID)
        draw.text((frame.left - sheet.text // 2, y), label, font=letters, fill=FAINT, anchor="rm")
    for percent in (0, 25, 50, 75, 100):
        x = round(frame.x(percent / 100))
        draw.line((x, frame.bottom, x, frame.bottom + sheet.text // 3), fill=FAINT)
        if percent % 50 == 0 or frame.right - frame.left > 20 * sheet.text:
            place = (x, frame.bottom + round(0.7 * sheet.text))
            draw.text(place, f"{percent} %", font=letters, fill=FAINT, anchor="mt")


def _draw_horizontal_label(draw: Pen, sheet: Sheet, frame: Frame, text: str) -> None:
    place = ((frame.left + frame.right) // 2, frame.bottom + round(2.3 * sheet.text))
    shown = typeface.shorten(text, sheet.text, sheet.room)
    draw.text(place, shown, font=typeface.font(sheet.text), fill=FAINT, anchor="mt")


def _draw_curve(surface: Surface, frame: Frame, curve: Curve, fractions: list[float], color: Color, width: int) -> None:
    """Draw a curve, and the area between it and zero in a pale colour."""
    if isinstance(surface, SvgPen):
        points = [(frame.x(fraction), frame.y(value)) for fraction, value in zip(fractions, curve.values, strict=True)]
        zero = [(frame.x(fractions[-1]), frame.y(0.0)), (frame.x(fractions[0]), frame.y(0.0))]
        surface.area([*points, *zero], fill=color, opacity=OPACITY / 255)
        surface.curve(points, fill=color, width=width)
        return
    size = (frame.right - frame.left + 2 * width, frame.bottom - frame.top + 2 * width)
    corner = (frame.left - width, frame.top - width)
    layer = Image.new("RGBA", (size[0] * OVERSAMPLING, size[1] * OVERSAMPLING), (*color, 0))
    draw = ImageDraw.Draw(layer)

    def place(fraction: float, value: float) -> tuple[float, float]:
        return (frame.x(fraction) - corner[0]) * OVERSAMPLING, (frame.y(value) - corner[1]) * OVERSAMPLING

    points = [place(fraction, value) for fraction, value in zip(fractions, curve.values, strict=True)]
    zero = [place(fractions[-1], 0.0), place(fractions[0], 0.0)]
    draw.polygon([*points, *zero], fill=(*color, OPACITY))
    draw.line(points, fill=(*color, 255), width=width * OVERSAMPLING, joint="curve")
    smooth = layer.resize(size, Image.Resampling.BOX)
    surface.paste(smooth.convert("RGB"), corner, smooth.getchannel("A"))


def _legend(sheet: Sheet, curves: Curves, lang: Language) -> list[list[tuple[str, Color]]]:
    """The legend: the curves with their areas, in one line if they fit, else in two."""
    words = CAPTIONS[lang]
    entries = [
        (words["area"].format(name=words["insertion"], area=typeface.number(curves.insertion.auc, lang)), solid(1.0)),
        (words["area"].format(name=words["deletion"], area=typeface.number(curves.deletion.auc, lang)), solid(-1.0)),
    ]
    width = sum(typeface.width(text, sheet.text) + 3 * sheet.text for text, _ in entries)
    return [entries] if width <= sheet.room else [[entry] for entry in entries]


def _draw_legend(draw: Pen, sheet: Sheet, middle: int, entries: list[tuple[str, Color]]) -> None:
    left, half = sheet.margin, sheet.text // 3
    for text, color in entries:
        draw.rectangle((left, middle - half, left + 2 * half, middle + half), fill=color)
        left += 4 * half
        shown = typeface.shorten(text, sheet.text, sheet.width - sheet.margin - left)
        draw.text((left, middle), shown, font=typeface.font(sheet.text), fill=INK, anchor="lm")
        left += typeface.width(shown, sheet.text) + 2 * sheet.text


def _draw_line(draw: Pen, sheet: Sheet, middle: int, text: str, color: Color) -> None:
    shown = typeface.shorten(text, sheet.text, sheet.room)
    draw.text((sheet.margin, middle), shown, font=typeface.font(sheet.text), fill=color, anchor="lm")
