"""Draws a text with its words coloured by attribution."""

from collections.abc import Sequence

from PIL import ImageDraw

from schemas.results import TextScore
from service.drawing import typeface
from service.drawing.captions import CAPTIONS
from service.drawing.colorbar import FAINT, INK
from service.drawing.colormaps import tint
from service.drawing.png import encode
from service.drawing.sheet import Sheet, Title
from service.drawing.wrapping import Piece, wrap
from service.languages import Language
from service.tuning import MAX_TEXT_LINES


def render_text(
    text: str,
    scores: Sequence[TextScore],
    *,
    title: Title = None,
    lang: Language = "en",
    size: int = 720,
) -> bytes:
    """Draw a PNG of the wrapped text. What raises the output has a red background, what lowers it a blue one.

    Colours are scaled to the largest absolute score. After `MAX_TEXT_LINES` lines the text is cut, with a note.

    Args:
        scores: tokens or words with offsets into the text. Those that are empty, lie beyond the text, or overlap an
            earlier one are ignored.
        size: width in pixels, at least 64.
    """
    sheet = Sheet(size)
    lines, shown = wrap(text, scores, size=sheet.text, room=sheet.room, max_lines=MAX_TEXT_LINES)
    largest = max((abs(piece.score or 0.0) for line in lines for piece in line), default=0.0)
    top = sheet.margin + sheet.title_height(title)
    pitch = round(1.75 * sheet.text)
    bottom = top + pitch * (len(lines) + (shown < len(text)))
    canvas, draw = sheet.blank(bottom + sheet.legend_height + sheet.margin // 2)
    if title:
        sheet.draw_title(draw, title)
    for row, line in enumerate(lines):
        _draw_line(draw, sheet, line, top + row * pitch, pitch, largest)
    if shown < len(text):
        rest = CAPTIONS[lang]["cut"].format(count=len(text) - shown)
        place = (sheet.margin, bottom - pitch // 2)
        draw.text(place, rest, font=typeface.font(sheet.text), fill=FAINT, anchor="lm")
    if largest:
        _draw_legend(draw, sheet, bottom + sheet.legend_height // 2, largest, lang)
    return encode(canvas)


def _draw_line(
    draw: ImageDraw.ImageDraw, sheet: Sheet, line: list[Piece], top: int, pitch: int, largest: float
) -> None:
    for piece in line:
        left = sheet.margin + piece.left
        if piece.score and largest:
            box = (left, top + 1, left + piece.width - 1, top + pitch - 2)
            draw.rounded_rectangle(box, radius=sheet.text // 5, fill=tint(piece.score / largest))
        draw.text((left, top + pitch // 2), piece.text, font=typeface.font(sheet.text), fill=INK, anchor="lm")


def _draw_legend(draw: ImageDraw.ImageDraw, sheet: Sheet, middle: int, largest: float, lang: Language) -> None:
    """Draw a ramp from `-largest`, which lowers the output, to `largest`, which raises it, if it fits."""
    letters, gap = typeface.font(sheet.text), sheet.text
    low = f"{CAPTIONS[lang]['lowers']}  {typeface.number(-largest, lang)}"
    high = f"{typeface.number(largest, lang, plus=True)}  {CAPTIONS[lang]['raises']}"
    left = sheet.margin + typeface.width(low, sheet.text) + gap
    right = min(left + 10 * sheet.text, sheet.width - sheet.margin - typeface.width(high, sheet.text) - gap)
    if right - left < 2 * gap:
        return
    draw.text((sheet.margin, middle), low, font=letters, fill=FAINT, anchor="lm")
    draw.text((right + gap, middle), high, font=letters, fill=FAINT, anchor="lm")
    for x in range(left, right):
        share = 2 * (x - left) / (right - left - 1) - 1
        draw.line((x, middle - sheet.text // 3, x, middle + sheet.text // 3), fill=tint(share))
