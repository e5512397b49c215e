"""Draws an attribution over the picture that it explains."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from service.languages import Language
from service.pictures import colorbar, typeface
from service.pictures.captions import CAPTIONS
from service.pictures.colormaps import Pixels, paint
from service.pictures.heatmap import HeatMap, heat_map, map_size
from service.pictures.overlay_options import OverlayOptions
from service.pictures.png import encode
from service.tuning import MAX_PANEL_PIXELS

MAX_ASPECT = 16  # longer side over shorter side; a narrower picture is widened to this
MASKED_FLOOR = 0.08  # brightness left where the attribution is zero


def render_overlay(
    picture: Image.Image | None,
    attribution: NDArray[np.generic],
    options: OverlayOptions,
    *,
    lang: Language = "en",
    proportions: tuple[float, float] | None = None,
) -> bytes:
    """Draw a PNG in the style of the options. The same arguments give the same bytes.

    Args:
        picture: what the model saw, at any resolution. None if the input was not a picture: the map is then drawn
            alone, whatever the style.
        attribution: one example, finite: (1, C, H, W), (C, H, W) or (H, W); of the input or of a layer. It covers
            exactly the picture.
        lang: the language of the captions.
        proportions: width and height, in any unit, of the part of the photograph that the picture shows. The drawing
            has these proportions. Default: the picture's own.

    Raises:
        ValueError: the attribution has another shape.
    """
    triple = picture is not None and options.style == "side_by_side"
    longest = min(options.size, MAX_PANEL_PIXELS) if triple else options.size
    size = _fit(proportions or (picture.size if picture else map_size(attribution)), longest)
    heat = heat_map(attribution, options, size)
    if picture is None or options.style == "heatmap":
        return encode(_alone(heat, options, lang))
    view = picture.convert("RGB").resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0)
    if options.style == "blend":
        return encode(_blend(view, heat, options))
    if options.style == "masked":
        return encode(_masked(view, heat))
    return encode(_side_by_side(view, heat, options, lang))


def _fit(region: tuple[float, float], longest: int) -> tuple[int, int]:
    """Width and height with this longer side and the region's proportions, within `MAX_ASPECT`."""
    scale = longest / max(region)
    shortest = max(1, longest // MAX_ASPECT)
    return max(shortest, round(region[0] * scale)), max(shortest, round(region[1] * scale))


def _heat(heat: HeatMap, options: OverlayOptions) -> Pixels:
    """The colours of the heat map, (H, W, 3)."""
    return paint(heat.strength, options.sign, options.colormap)


def _blend(view: Image.Image, heat: HeatMap, options: OverlayOptions) -> Image.Image:
    """The heat over the picture in grey, opaque where it is strong."""
    grey = np.asarray(view.convert("L"), dtype=np.float32)[..., None]
    opacity = options.alpha * np.abs(heat.strength)[..., None]
    mixed = grey + (_heat(heat, options) - grey) * opacity  # (H, W, 3)
    return Image.fromarray(np.rint(mixed).astype(np.uint8))


def _masked(view: Image.Image, heat: HeatMap) -> Image.Image:
    """The picture in its colours, darkened by a smooth step where the strength is low."""
    strength = np.abs(heat.strength)[..., None]
    light = MASKED_FLOOR + (1 - MASKED_FLOOR) * strength**2 * (3 - 2 * strength)
    return Image.fromarray(np.rint(np.asarray(view, dtype=np.float32) * light).astype(np.uint8))


def _alone(heat: HeatMap, options: OverlayOptions, lang: Language) -> Image.Image:
    """The heat map with its colour bar below."""
    panel = Image.fromarray(_heat(heat, options))
    text = _text_size(panel.width)
    gap = text // 2
    canvas = Image.new("RGB", (panel.width, panel.height + gap + colorbar.height(text)), "white")
    canvas.paste(panel, (0, 0))
    corner = (gap, panel.height + gap)
    colorbar.draw_colorbar(canvas, corner, panel.width - 2 * gap, heat, options, text=text, lang=lang)
    return canvas


def _side_by_side(view: Image.Image, heat: HeatMap, options: OverlayOptions, lang: Language) -> Image.Image:
    """Picture, heat map and blend, each with its caption, and the colour bar below the map."""
    panels = {"picture": view, "heatmap": Image.fromarray(_heat(heat, options)), "blend": _blend(view, heat, options)}
    width, height = view.size
    text = _text_size(width)
    gap, top = text, 2 * text
    canvas = Image.new("RGB", (3 * width + 4 * gap, top + height + gap // 2 + colorbar.height(text)), "white")
    draw = ImageDraw.Draw(canvas)
    for index, (name, panel) in enumerate(panels.items()):
        left = gap + index * (width + gap)
        canvas.paste(panel, (left, top))
        caption = typeface.shorten(CAPTIONS[lang][name], text, width + gap)
        draw.text((left + width // 2, top // 2), caption, font=typeface.font(text), fill=colorbar.INK, anchor="mm")
    corner = (2 * gap + width, top + height + gap // 2)
    colorbar.draw_colorbar(canvas, corner, width, heat, options, text=text, lang=lang)
    return canvas


def _text_size(width: int) -> int:
    """The size in pixels of the captions of a panel of this width."""
    return min(28, max(9, width // 28))
