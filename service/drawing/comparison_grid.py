"""Draws panels in an aligned grid, each with a heading above, and its colour bar and notes below. Pure."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from PIL import Image, ImageDraw

from service.drawing import colorbar, typeface
from service.drawing.caption_block import CaptionBlock, Line
from service.drawing.heatmap import ColorScale
from service.drawing.overlay_options import OverlayOptions
from service.drawing.png import encode
from service.languages import Language

PAPER = (255, 255, 255)
BLANK = (240, 240, 240)  # of a panel without a picture
HAIRLINE = (214, 214, 214)
MAX_MESSAGE_LINES = 8


@dataclass(frozen=True, slots=True)
class Scale:
    """The scale of a map and how it was drawn, for its colour bar."""

    colors: ColorScale
    options: OverlayOptions


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawn PNG file, which is decoded only where it is pasted: a sheet may have forty."""

    png: bytes
    width: int
    height: int

    @classmethod
    def of(cls, png: bytes) -> "Drawing":
        """The drawing with the size that its header tells."""
        with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
            return cls(png, image.width, image.height)

    def decoded(self) -> Image.Image:
        """The pixels, in RGB."""
        with Image.open(io.BytesIO(self.png), formats=("PNG",)) as image:
            return image.convert("RGB")


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel: a picture as wide as every other, or a message in its place."""

    heading: str
    image: Drawing | None = None
    message: str = ""
    scale: Scale | None = None
    notes: list[Line] = field(default_factory=list)


@dataclass(frozen=True)
class Measures:
    """The measures in pixels of a sheet whose panels have this width and height."""

    width: int
    height: int

    @cached_property
    def text(self) -> int:
        return min(24, max(10, round(self.width / 22)))

    @property
    def small(self) -> int:
        """Of notes."""
        return max(9, round(0.85 * self.text))

    @property
    def title(self) -> int:
        return round(1.5 * self.text)

    @property
    def gap(self) -> int:
        return round(1.6 * self.text)

    @property
    def margin(self) -> int:
        return 2 * self.text

    @property
    def pitch(self) -> int:
        """From one line of a heading to the next."""
        return round(1.3 * self.text)


def draw_grid(
    title: Sequence[Line],
    rows: Sequence[Sequence[Panel]],
    foot: Sequence[Line],
    size: tuple[int, int],
    lang: Language,
) -> bytes:
    """Draw a PNG.

    Args:
        title: lines of parts above the grid; the first one is larger.
        rows: the panels, from the left; a row may be shorter than others.
        foot: lines of parts below the grid.
        size: width and height in pixels of every panel's picture. Higher pictures, such as texts, stretch their row.
    """
    measures = Measures(*size)
    columns = max(len(row) for row in rows)
    across = columns * measures.width + (columns - 1) * measures.gap
    head = CaptionBlock.of(title[:1], measures.title, across)
    under = CaptionBlock.of(title[1:], measures.text, across)
    end = CaptionBlock.of(foot, measures.small, across)
    heights = [_row_height(row, measures) for row in rows]
    above = measures.margin + head.height + under.height + measures.text
    height = above + sum(heights) + measures.gap * (len(rows) - 1) + measures.gap + end.height + measures.margin
    canvas = Image.new("RGB", (across + 2 * measures.margin, height), PAPER)
    draw = ImageDraw.Draw(canvas)
    head.draw(draw, (measures.margin, measures.margin))
    under.draw(draw, (measures.margin, measures.margin + head.height))
    top = above
    for row, row_height in zip(rows, heights, strict=True):
        for column, panel in enumerate(row):
            left = measures.margin + column * (measures.width + measures.gap)
            _draw_panel(canvas, draw, panel, row, (left, top), measures, lang)
        top += row_height + measures.gap
    line = top - measures.gap // 2
    draw.line((measures.margin, line, measures.margin + across, line), fill=HAIRLINE)
    end.draw(draw, (measures.margin, top))
    return encode(canvas)


def _row_height(row: Sequence[Panel], measures: Measures) -> int:
    notes = max(_notes(panel, measures).height for panel in row)
    bar = max(_bar_height(panel, measures) for panel in row)
    return _heading_height(row, measures) + _picture_height(row, measures) + bar + measures.small // 2 + notes


def _heading_height(row: Sequence[Panel], measures: Measures) -> int:
    lines = max(len(_heading(panel, measures)) for panel in row)
    return lines * measures.pitch + measures.text // 2


def _picture_height(row: Sequence[Panel], measures: Measures) -> int:
    return max([measures.height, *(panel.image.height for panel in row if panel.image is not None)])


def _bar_height(panel: Panel, measures: Measures) -> int:
    return 0 if panel.scale is None else measures.small // 2 + colorbar.height(measures.small)


def _heading(panel: Panel, measures: Measures) -> list[str]:
    return wrapped(panel.heading, measures.text, measures.width, 2)


def _notes(panel: Panel, measures: Measures) -> CaptionBlock:
    return CaptionBlock.of(panel.notes, measures.small, measures.width)


def _draw_panel(
    canvas: Image.Image,
    draw: ImageDraw.ImageDraw,
    panel: Panel,
    row: Sequence[Panel],
    corner: tuple[int, int],
    measures: Measures,
    lang: Language,
) -> None:
    """Headings stand on the pictures, and notes begin at one height, whatever the other panels of the row hold."""
    left, top = corner
    picture_top = top + _heading_height(row, measures)
    heading = _heading(panel, measures)
    for number, line in enumerate(heading):
        base = picture_top - measures.text // 2 - (len(heading) - number) * measures.pitch
        draw.text((left, base), line, font=typeface.font(measures.text), fill=colorbar.INK, anchor="la")
    if panel.image is None:
        _draw_message(draw, panel.message, (left, picture_top), measures)
    else:
        canvas.paste(panel.image.decoded(), (left, picture_top))
        right, bottom = left + panel.image.width, picture_top + panel.image.height
        draw.rectangle((left - 1, picture_top - 1, right, bottom), outline=HAIRLINE)
    below = picture_top + _picture_height(row, measures)
    if panel.scale is not None:
        place = (left, below + measures.small // 2)
        colors, options = panel.scale.colors, panel.scale.options
        colorbar.draw_colorbar(canvas, place, measures.width, colors, options, text=measures.small, lang=lang)
    below += max(_bar_height(other, measures) for other in row) + measures.small // 2
    _notes(panel, measures).draw(draw, (left, below))


def _draw_message(draw: ImageDraw.ImageDraw, message: str, corner: tuple[int, int], measures: Measures) -> None:
    """A grey panel with the message in its middle."""
    left, top = corner
    draw.rectangle((left, top, left + measures.width - 1, top + measures.height - 1), fill=BLANK)
    lines = wrapped(message, measures.small, measures.width - 2 * measures.text, MAX_MESSAGE_LINES)
    pitch = round(1.4 * measures.small)
    start = top + (measures.height - len(lines) * pitch) // 2 + pitch // 2
    for number, line in enumerate(lines):
        place = (left + measures.width // 2, start + number * pitch)
        draw.text(place, line, font=typeface.font(measures.small), fill=colorbar.FAINT, anchor="mm")


def wrapped(text: str, size: int, room: int, most: int) -> list[str]:
    """The words of a text in lines of at most `room` pixels; what is beyond `most` lines is cut with an ellipsis."""
    lines: list[str] = []
    words = typeface.printable(text).split()
    for number, word in enumerate(words):
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and typeface.width(joined, size) <= room:
            lines[-1] = joined
        elif len(lines) == most:
            lines[-1] = typeface.shorten(" ".join([lines[-1], *words[number:]]), size, room)
            return lines
        else:
            lines.append(typeface.shorten(word, size, room))
    return lines
