"""Draws on an SVG document with the calls of `PIL.ImageDraw`, so that one layout serves pixels and vectors.

Letters are text of the same typeface and size as in the pixels; a viewer without it takes another sans serif. All text
is escaped, and the document holds no script and refers to nothing outside.
"""

from collections.abc import Sequence
from xml.sax.saxutils import escape

from PIL import ImageDraw, ImageFont

from service.drawing import typeface

Color = tuple[int, int, int]
Number = int | float
ANCHORS = {"l": "start", "m": "middle", "r": "end"}


class SvgPen:
    """An SVG document of a size in pixels, on white."""

    def __init__(self, width: int, height: int, title: str = "") -> None:
        named = f"<title>{_text(title)}</title>" if title else ""
        self._parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" role="img" font-family="Inter, system-ui, sans-serif">{named}',
            f'<rect width="{width}" height="{height}" fill="#fff"/>',
        ]

    def encode(self) -> bytes:
        """The document. Equal drawings give equal bytes."""
        return "\n".join([*self._parts, "</svg>\n"]).encode()

    def text(
        self, xy: tuple[Number, Number], text: str, *, font: ImageFont.FreeTypeFont, fill: Color, anchor: str = "la"
    ) -> None:
        """A line of text; the anchor is one of Pillow's, such as `lm`: the left end, and the middle of the line."""
        ascent, descent = font.getmetrics()
        below = {"a": ascent, "t": 0.73 * font.size, "m": (ascent - descent) / 2, "s": 0}[anchor[1]]
        place = f'x="{_number(xy[0])}" y="{_number(xy[1] + below)}" text-anchor="{ANCHORS[anchor[0]]}"'
        look = f'font-size="{_number(font.size)}" fill="{_hex(fill)}" xml:space="preserve"'
        length = font.getlength(typeface.printable(text))
        if length:  # another typeface is fitted to the room that the layout has given
            look += f' textLength="{_number(length)}" lengthAdjust="spacingAndGlyphs"'
        self._parts.append(f"<text {place} {look}>{_text(text)}</text>")

    def rectangle(self, xy: tuple[Number, Number, Number, Number], *, fill: Color) -> None:
        """A filled rectangle; as in Pillow, the right and the lower edge belong to it."""
        left, top, right, bottom = xy
        size = f'width="{_number(right - left + 1)}" height="{_number(bottom - top + 1)}"'
        self._parts.append(f'<rect x="{_number(left)}" y="{_number(top)}" {size} fill="{_hex(fill)}"/>')

    def line(self, xy: Sequence[Number], *, fill: Color, width: int = 1) -> None:
        """A straight line from (x, y) to (x, y), in the middle of its pixels."""
        x1, y1, x2, y2 = (_number(value + 0.5) for value in xy)
        self._parts.append(
            f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{_hex(fill)}" stroke-width="{width}"/>'
        )

    def curve(self, points: Sequence[tuple[float, float]], *, fill: Color, width: Number) -> None:
        """A line through points."""
        self._parts.append(
            f'<polyline points="{_places(points)}" fill="none" stroke="{_hex(fill)}" stroke-width="{_number(width)}" '
            'stroke-linejoin="round"/>'
        )

    def area(self, points: Sequence[tuple[float, float]], *, fill: Color, opacity: float) -> None:
        """A filled polygon."""
        self._parts.append(
            f'<polygon points="{_places(points)}" fill="{_hex(fill)}" fill-opacity="{_number(opacity)}"/>'
        )


Pen = ImageDraw.ImageDraw | SvgPen


def _text(text: str) -> str:
    """Printable and escaped: XML allows no control characters, even as references."""
    return escape(typeface.printable(text), {'"': "&quot;"})


def _hex(color: Color) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)


def _number(value: Number) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _places(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{_number(x)},{_number(y)}" for x, y in points)
