"""The caption below a drawing: lines of parts, broken between the parts where they are too wide."""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import ImageDraw

from service.drawing import typeface
from service.drawing.captions import CAPTIONS
from service.drawing.colorbar import FAINT, INK
from service.drawing.overlay_options import OverlayOptions
from service.languages import Language

Line = Sequence[str]  # parts that belong together; they are separated by a dot
DOT = " · "


@dataclass(frozen=True, slots=True)
class CaptionBlock:
    """Lines of `text` pixels, none wider than `room`. The first one is dark, the others are grey."""

    lines: list[str]
    text: int

    @classmethod
    def of(cls, lines: Sequence[Line], text: int, room: int) -> "CaptionBlock":
        """The lines that fit into `room` pixels. A single part that is wider is shortened, with an ellipsis."""
        return cls([part for line in lines for part in broken(line, text, room)], text)

    @property
    def height(self) -> int:
        """Pixels, with the space below the last line."""
        return len(self.lines) * self._pitch + self.text // 2 if self.lines else 0

    @property
    def _pitch(self) -> int:
        return round(1.45 * self.text)

    def draw(self, draw: ImageDraw.ImageDraw, corner: tuple[int, int]) -> None:
        """Draws the lines from their upper left corner down."""
        left, top = corner
        for row, line in enumerate(self.lines):
            place = (left, top + row * self._pitch)
            draw.text(place, line, font=typeface.font(self.text), fill=FAINT if row else INK, anchor="la")


def broken(line: Line, text: int, room: int) -> list[str]:
    """The parts of a line, joined as long as they fit into `room` pixels at this text size."""
    rows: list[str] = []
    for part in filter(None, line):
        joined = f"{rows[-1]}{DOT}{typeface.printable(part)}" if rows else ""
        if rows and typeface.width(joined, text) <= room:
            rows[-1] = joined
        else:
            rows.append(typeface.shorten(part, text, room))
    return rows


def drawing_notes(options: OverlayOptions, lang: Language) -> list[str]:
    """What was done to the map before it was drawn: smoothing, and the value of the strongest colour."""
    words = CAPTIONS[lang]
    notes = [words["no smoothing"]]
    if options.smoothing:
        notes = [words["smoothing"].format(value=f"{typeface.number(100 * options.smoothing, lang)} %")]
    masked = "masked " if options.style == "masked" else ""
    if options.limit is not None:
        notes.append(words[f"{masked}limit"].format(value=typeface.number(options.limit, lang)))
    else:
        notes.append(words[f"{masked}percentile"].format(value=typeface.number(options.percentile, lang)))
    if options.style == "masked":  # there is no colour bar that says which part of the attribution is drawn
        notes.insert(0, words[options.sign])
    return notes
