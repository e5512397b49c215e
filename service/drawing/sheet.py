"""The layout of a white sheet for words, bars and curves."""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from service.drawing import typeface
from service.drawing.colorbar import FAINT, INK
from service.drawing.png import encode
from service.drawing.svg_pen import Pen, SvgPen
from service.tuning import MAX_SHEET_TEXT_PIXELS

Title = str | Sequence[str] | None  # one line, or several of which the first is dark
Surface = Image.Image | SvgPen


@dataclass(frozen=True, slots=True)
class Sheet:
    """The measures in pixels of a sheet that is `width` pixels wide."""

    width: int

    @property
    def text(self) -> int:
        """The size of the letters."""
        return min(MAX_SHEET_TEXT_PIXELS, max(11, self.width // 42))

    @property
    def margin(self) -> int:
        return self.text

    @property
    def room(self) -> int:
        """The width between the margins."""
        return self.width - 2 * self.margin

    def title_height(self, title: Title) -> int:
        return round(1.45 * self.text * (len(_lines(title)) - 1)) + 2 * self.text if title else 0

    @property
    def legend_height(self) -> int:
        return 2 * self.text

    def blank(self, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
        canvas = Image.new("RGB", (self.width, height), "white")
        return canvas, ImageDraw.Draw(canvas)

    def surface(self, height: int, title: Title, *, vector: bool) -> tuple[Surface, Pen]:
        """A blank sheet of pixels or of vectors with its title, and the pen that draws on it."""
        surface: Surface
        pen: Pen
        if vector:
            surface = pen = SvgPen(self.width, height, ", ".join(_lines(title)))
        else:
            surface, pen = self.blank(height)
        if title:
            self.draw_title(pen, title)
        return surface, pen

    def draw_title(self, draw: Pen, title: Title) -> None:
        for row, words in enumerate(_lines(title)):
            line = typeface.shorten(words, self.text, self.room)
            place = (self.margin, self.margin + round(1.45 * self.text * row))
            draw.text(place, line, font=typeface.font(self.text), fill=FAINT if row else INK, anchor="la")


def encoded(surface: Surface) -> bytes:
    """The drawing as a PNG file or an SVG document."""
    return surface.encode() if isinstance(surface, SvgPen) else encode(surface)


def _lines(title: Title) -> Sequence[str]:
    return [title] if isinstance(title, str) else title or []
