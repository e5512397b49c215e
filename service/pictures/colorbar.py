"""The colour bar of a heat map, which shows the attribution that each colour stands for."""

import numpy as np
from PIL import Image, ImageDraw

from service.languages import Language
from service.pictures import typeface
from service.pictures.captions import CAPTIONS
from service.pictures.colormaps import paint
from service.pictures.heatmap import HeatMap
from service.pictures.overlay_options import OverlayOptions

INK = (38, 38, 38)
FAINT = (110, 110, 110)
MIN_WIDTH = 8  # pixels; a narrower bar shows nothing


def height(text: int) -> int:
    """The height in pixels of a colour bar with its labels, at this text size."""
    return round(2.4 * text)


def draw_colorbar(
    canvas: Image.Image,
    corner: tuple[int, int],
    width: int,
    heat: HeatMap,
    options: OverlayOptions,
    *,
    text: int,
    lang: Language,
) -> None:
    """Draw a bar `width` pixels wide, with the values of its ends and its caption below. Omits what does not fit."""
    if width < MIN_WIDTH:
        return
    left, top = corner
    low = -1.0 if options.sign == "all" else 0.0
    ramp = np.tile(np.linspace(low, 1, width, dtype=np.float32), (max(3, text * 3 // 4), 1))
    bar = Image.fromarray(paint(ramp, options.sign, options.colormap))
    canvas.paste(bar, corner)
    draw = ImageDraw.Draw(canvas)
    draw.rectangle((left, top, left + width - 1, top + bar.height - 1), outline=FAINT)

    first, last = _ends(heat, options)
    middle = CAPTIONS[lang][options.sign]
    room = width - typeface.width(last, text)
    if room < 0:
        return
    below = top + bar.height + max(2, text // 4)
    letters = typeface.font(text)
    draw.text((left + width, below), last, font=letters, fill=INK, anchor="ra")
    gap = text
    if room >= typeface.width(first, text) + gap:
        draw.text((left, below), first, font=letters, fill=INK, anchor="la")
    widest_end = max(typeface.width(first, text), typeface.width(last, text))
    if width >= typeface.width(middle, text) + 2 * (widest_end + gap):
        draw.text((left + width // 2, below), middle, font=letters, fill=FAINT, anchor="ma")


def _ends(heat: HeatMap, options: OverlayOptions) -> tuple[str, str]:
    """The labels of the left and the right end, with ≤ or ≥ if elements beyond the end have its colour."""
    low = ("≤ " if heat.clipped_low else "") + typeface.number(-heat.limit)
    high = ("≥ " if heat.clipped_high else "") + typeface.number(heat.limit)
    if options.sign == "all":
        return low, high
    if options.sign == "negative":  # the strengths are magnitudes
        return "0", ("≤ " if heat.clipped_high else "") + typeface.number(-heat.limit)
    return "0", high
