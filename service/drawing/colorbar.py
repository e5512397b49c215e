"""The colour bar of a heat map, which shows the attribution that each colour stands for."""

import numpy as np
from PIL import Image, ImageDraw

from service.drawing import typeface
from service.drawing.captions import CAPTIONS
from service.drawing.colormaps import mix, paint
from service.drawing.heatmap import ColorScale
from service.drawing.overlay_options import OverlayOptions
from service.languages import Language

INK = (38, 38, 38)
FAINT = (110, 110, 110)
GROUND = 190  # brightness below the colour bar of a blend
MIN_WIDTH = 8  # pixels; a narrower bar shows nothing


def height(text: int) -> int:
    """The height in pixels of a colour bar with its labels, at this text size."""
    return round(2.4 * text)


def draw_colorbar(
    canvas: Image.Image,
    corner: tuple[int, int],
    width: int,
    scale: ColorScale,
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
    colors = paint(ramp, options.sign, options.colormap)
    if options.style == "blend":  # the colours as they look over a picture of middle brightness
        colors = mix(np.full_like(colors, GROUND), colors, ramp, options.alpha)
    bar = Image.fromarray(colors)
    canvas.paste(bar, corner)
    draw = ImageDraw.Draw(canvas)
    draw.rectangle((left, top, left + width - 1, top + bar.height - 1), outline=FAINT)

    signed = options.sign == "all"
    if signed:  # the scale is centred on zero
        middle_x = left + width // 2
        draw.line((middle_x, top, middle_x, top + bar.height + text // 5), fill=FAINT)
    below = top + bar.height + max(2, text // 4)
    _draw_labels(draw, (left, below), width, _labels(scale, options, text, width, lang), text)


def _draw_labels(
    draw: ImageDraw.ImageDraw, corner: tuple[int, int], width: int, labels: tuple[str, str, str], text: int
) -> None:
    """Draw the labels of both ends and of the middle; the right end first, because it says most."""
    left, below = corner
    first, middle, last = labels
    letters, gap = typeface.font(text), text
    room = width - typeface.width(last, text)
    if room < 0:
        return
    draw.text((left + width, below), last, font=letters, fill=INK, anchor="ra")
    if room >= typeface.width(first, text) + gap:
        draw.text((left, below), first, font=letters, fill=INK, anchor="la")
    widest_end = max(typeface.width(first, text), typeface.width(last, text))
    if width >= typeface.width(middle, text) + 2 * (widest_end + gap):
        draw.text((left + width // 2, below), middle, font=letters, fill=FAINT, anchor="ma")


def _labels(scale: ColorScale, options: OverlayOptions, text: int, width: int, lang: Language) -> tuple[str, str, str]:
    """The labels of left end, middle and right end. A signed scale says what its ends mean, if there is room."""
    first, last = _ends(scale, options, lang)
    words = CAPTIONS[lang]
    if options.sign != "all":
        return first, words[options.sign], last
    told = f"{first}  {words['lowers']}", "0", f"{words['raises']}  {last}"
    if width >= typeface.width("0", text) + 2 * (max(typeface.width(end, text) for end in told) + text):
        return told
    return first, "0", last


def _ends(scale: ColorScale, options: OverlayOptions, lang: Language) -> tuple[str, str]:
    """The labels of the left and the right end, with ≤ or ≥ if elements beyond the end have its colour."""
    low = ("≤ " if scale.clipped_low else "") + typeface.number(-scale.limit, lang)
    high = ("≥ " if scale.clipped_high else "") + typeface.number(scale.limit, lang)
    if options.sign == "all":
        return low, high
    if options.sign == "negative":  # the strengths are magnitudes
        return "0", ("≤ " if scale.clipped_high else "") + typeface.number(-scale.limit, lang)
    return "0", high
