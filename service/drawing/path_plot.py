"""The curve of a path: the model's output from baseline to input, and what the attributions add up to on the way."""

from dataclasses import dataclass

from PIL import Image, ImageDraw

from schemas.results import PathPoints
from service.drawing import typeface
from service.drawing.captions import CAPTIONS
from service.drawing.colorbar import FAINT, INK
from service.drawing.colormaps import solid
from service.drawing.curves import GRID, OVERSAMPLING, Color, Frame, ticks_of
from service.drawing.sheet import Sheet
from service.languages import Language

PALE = (205, 205, 205)  # the part of the curve that is still to come
Point = tuple[float, float]  # place on the path, and output there


@dataclass(frozen=True, slots=True)
class PathPlot:
    """The plot of one path on a sheet.

    Attributes:
        outputs: the outputs on the path, from the baseline on where its output is known, and to the input.
        sums: for each number of points, the output of the baseline plus the attributions so far, over the share of the
            path that they cover; the attributions alone where that output is not known or they are rates.
    """

    sheet: Sheet
    top: int
    outputs: list[Point]
    sums: list[Point]
    names: tuple[str, str]  # of the two curves
    lang: Language

    @classmethod
    def of(cls, sheet: Sheet, top: int, points: PathPoints, target: str, lang: Language) -> "PathPlot":
        """The plot with its upper edge at `top`."""
        words = CAPTIONS[lang]
        output = words["output on path"].format(target=target) if target else words["only output on path"]
        base = points.baseline_output
        sums = [(at, (base or 0.0) + total) for at, total in zip(points.covered, points.sums, strict=True)]
        outputs = list(zip(points.alphas, points.outputs, strict=True))
        if base is not None:
            outputs.insert(0, (0.0, base))
        outputs.append((1.0, points.input_output))
        sums.insert(0, (0.0, base or 0.0))
        return cls(sheet, top, outputs, sums, (output, words["sum alone" if base is None else "sum on path"]), lang)

    @property
    def height(self) -> int:
        """Pixels, with legend and axis."""
        return self._frame_top - self.top + self._plot_height + 4 * self.sheet.text

    def draw(self, canvas: Image.Image, shown: int) -> None:
        """Draws the plot with so many points of the path done, from 0 on."""
        draw = ImageDraw.Draw(canvas)
        letters, text = typeface.font(self.sheet.text), self.sheet.text
        values = [value for _, value in (*self.outputs, *self.sums)]
        low, high = min(values), max(values)
        space = 0.06 * (high - low) or 1.0
        low, high = low - space, high + space
        ticks = [tick for tick in ticks_of(values, probability=False) if low <= tick <= high]
        labels = [typeface.number(tick, self.lang) for tick in ticks]
        left = self.sheet.margin + max((typeface.width(label, text) for label in labels), default=0) + text // 2
        frame = Frame(
            left,
            self._frame_top,
            self.sheet.width - self.sheet.margin - text // 2,
            self._frame_top + self._plot_height,
            low,
            high,
        )
        for tick, label in zip(ticks, labels, strict=True):
            y = round(frame.y(tick))
            draw.line((frame.left, y, frame.right, y), fill=FAINT if tick == 0 else GRID)
            draw.text((frame.left - text // 2, y), label, font=letters, fill=FAINT, anchor="rm")
        for share in (0, 0.25, 0.5, 0.75, 1):
            x = round(frame.x(share))
            draw.line((x, frame.bottom, x, frame.bottom + text // 3), fill=FAINT)
            draw.text((x, frame.bottom + round(0.7 * text)), f"{share:g}", font=letters, fill=FAINT, anchor="mt")
        place = ((frame.left + frame.right) // 2, frame.bottom + round(2.2 * text))
        named = typeface.shorten(CAPTIONS[self.lang]["alpha"], text, self.sheet.room)
        draw.text(place, named, font=letters, fill=FAINT, anchor="mt")
        self._legend(draw)
        last = len(self.sums) - 1
        known = len(self.outputs) - len(self.sums) - 1  # -1 where the baseline's output is not among the outputs
        self._curves(canvas, frame, shown + 1 + known + (shown == last), shown + 1)

    @property
    def _frame_top(self) -> int:
        return self.top + 4 * self.sheet.text

    @property
    def _plot_height(self) -> int:
        return round(0.3 * self.sheet.width)

    def _legend(self, draw: ImageDraw.ImageDraw) -> None:
        text, left = self.sheet.text, self.sheet.margin
        for row, (name, color) in enumerate(zip(self.names, (INK, solid(1.0)), strict=True)):
            middle = self.top + text // 2 + round(1.6 * text * row)
            draw.line((left, middle, left + round(1.4 * text), middle), fill=color, width=max(2, text // 5))
            shown = typeface.shorten(name, text, self.sheet.room - 2 * text)
            draw.text((left + 2 * text, middle), shown, font=typeface.font(text), fill=INK, anchor="lm")

    def _curves(self, canvas: Image.Image, frame: Frame, outputs: int, sums: int) -> None:
        """Draws the whole output pale, then what is done of both curves, with a dot at the end of each."""
        width = max(2, self.sheet.width // 300)
        corner = (frame.left - 3 * width, frame.top - 3 * width)
        size = (frame.right - frame.left + 6 * width, frame.bottom - frame.top + 6 * width)
        layer = Image.new("RGBA", (size[0] * OVERSAMPLING, size[1] * OVERSAMPLING), (*PALE, 0))
        draw = ImageDraw.Draw(layer)

        def line(points: list[Point], color: Color, *, dot: bool) -> None:
            places = [
                ((frame.x(at) - corner[0]) * OVERSAMPLING, (frame.y(value) - corner[1]) * OVERSAMPLING)
                for at, value in points
            ]
            if len(places) > 1:
                draw.line(places, fill=(*color, 255), width=width * OVERSAMPLING, joint="curve")
            if dot and places:
                (x, y), radius = places[-1], 1.6 * width * OVERSAMPLING
                draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(*color, 255))

        line(self.outputs, PALE, dot=False)
        line(self.outputs[:outputs], INK, dot=True)
        line(self.sums[:sums], solid(1.0), dot=True)
        smooth = layer.resize(size, Image.Resampling.BOX)
        canvas.paste(smooth.convert("RGB"), corner, smooth.getchannel("A"))
