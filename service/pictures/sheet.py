"""The layout of a white sheet for words, bars and curves."""

from dataclasses import dataclass

from PIL import Image, ImageDraw

from service.pictures import typeface
from service.pictures.colorbar import INK


@dataclass(frozen=True, slots=True)
class Sheet:
    """The measures in pixels of a sheet that is `width` pixels wide."""

    width: int

    @property
    def text(self) -> int:
        """The size of the letters."""
        return min(24, max(11, self.width // 42))

    @property
    def margin(self) -> int:
        return self.text

    @property
    def room(self) -> int:
        """The width between the margins."""
        return self.width - 2 * self.margin

    def title_height(self, title: str | None) -> int:
        return 2 * self.text if title else 0

    @property
    def legend_height(self) -> int:
        return 2 * self.text

    def blank(self, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
        canvas = Image.new("RGB", (self.width, height), "white")
        return canvas, ImageDraw.Draw(canvas)

    def draw_title(self, draw: ImageDraw.ImageDraw, title: str) -> None:
        line = typeface.shorten(title, self.text, self.room)
        draw.text((self.margin, self.margin), line, font=typeface.font(self.text), fill=INK)
