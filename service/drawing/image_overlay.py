"""Draws an attribution over the picture that it explains."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from service.drawing import colorbar, typeface
from service.drawing.caption_block import CaptionBlock, Line, drawing_notes
from service.drawing.captions import CAPTIONS
from service.drawing.colormaps import Pixels, mix, paint, step
from service.drawing.heatmap import HeatMap, heat_map, map_size
from service.drawing.overlay_options import OverlayOptions
from service.drawing.png import encode
from service.drawing.view import View
from service.languages import Language
from service.tuning import CAPTION_PIXELS, DRAWN_PIXELS, MAX_PANEL_PIXELS, THUMBNAIL_PIXELS

MAX_ASPECT = 16  # longer side over shorter side; a narrower picture is widened to this
MASKED_FLOOR = 0.08  # brightness left where the attribution is zero
PAPER = (255, 255, 255)
Panel = Callable[[slice], Pixels]  # some rows of a drawing


def render_overlay(
    picture: Image.Image | None,
    attribution: NDArray[np.generic],
    options: OverlayOptions,
    *,
    lang: Language = "en",
    proportions: tuple[float, float] | None = None,
    caption: Sequence[Line] = (),
    text: int | None = None,
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
        caption: what the drawing shows. Smoothing and scale are added to it.
        text: the size of the letters in pixels. Default: by the size of the drawing.

    Raises:
        ValueError: the attribution has another shape.
    """
    if picture is None:
        options = options.model_copy(update={"style": "heatmap"})
    longest = min(options.size, MAX_PANEL_PIXELS) if options.style == "side_by_side" else options.size
    size = fitted(proportions or (picture.size if picture else map_size(attribution)), longest)
    heat = heat_map(attribution, options, size)
    panels = _panels(picture, heat, options, size)
    if not options.caption:
        return encode(_bare(panels, size))
    return encode(_captioned(panels, heat, options, lang, caption, text))


def fitted(region: tuple[float, float], longest: int) -> tuple[int, int]:
    """Width and height with this longer side and the region's proportions, within `MAX_ASPECT`."""
    scale = longest / max(region)
    shortest = max(1, longest // MAX_ASPECT)
    return max(shortest, round(region[0] * scale)), max(shortest, round(region[1] * scale))


def blended(view: View, heat: HeatMap, options: OverlayOptions) -> Panel:
    """The heat over the picture, opaque where it is strong; at strength 0 the picture keeps its own colours."""

    def rows(part: slice) -> Pixels:
        strength = heat.rows(part)
        return mix(view.rows(part), paint(strength, options.sign, options.colormap), strength, options.alpha)

    return rows


def put(canvas: Image.Image, panel: Panel, corner: tuple[int, int], size: tuple[int, int]) -> None:
    """Draws a panel strip by strip, because a mixture takes some twenty times the memory of its pixels."""
    left, top = corner
    rows = max(1, DRAWN_PIXELS // size[0])
    for start in range(0, size[1], rows):
        canvas.paste(Image.fromarray(panel(slice(start, min(start + rows, size[1])))), (left, top + start))


def _panels(
    picture: Image.Image | None, heat: HeatMap, options: OverlayOptions, size: tuple[int, int]
) -> dict[str, Panel]:
    """The panels of the style, by the name of their caption, from left to right."""

    def colors(part: slice) -> Pixels:
        return paint(heat.rows(part), options.sign, options.colormap)

    if picture is None or options.style == "heatmap":
        return {"heatmap": colors}
    view = View(picture, size)
    if options.style == "masked":
        return {"masked": _masked(view, heat)}
    if options.style == "blend":
        return {"blend": blended(view, heat, options)}
    return {"picture": view.rows, "heatmap": colors, "blend": blended(view, heat, options)}


def _masked(view: View, heat: HeatMap) -> Panel:
    """The picture in its colours, darkened by a smooth step where the strength is low."""

    def rows(part: slice) -> Pixels:
        light = MASKED_FLOOR + (1 - MASKED_FLOOR) * step(np.abs(heat.rows(part)))[..., None]
        return np.rint(view.rows(part).astype(np.float32) * light).astype(np.uint8)

    return rows


def _bare(panels: dict[str, Panel], size: tuple[int, int]) -> Image.Image:
    """The panels side by side, without a gap."""
    canvas = Image.new("RGB", (size[0] * len(panels), size[1]))
    for index, panel in enumerate(panels.values()):
        put(canvas, panel, (index * size[0], 0), size)
    return canvas


def _captioned(
    panels: dict[str, Panel],
    heat: HeatMap,
    options: OverlayOptions,
    lang: Language,
    caption: Sequence[Line],
    letters: int | None,
) -> Image.Image:
    """The panels, several of them with their names above, the colour bar below the map, and the caption."""
    width, height = heat.size
    count = len(panels)
    text = letters or _text_size(min(options.size, width * count))
    gap = text if count > 1 else 0
    top = 2 * text if count > 1 else 0
    across = count * width + (count + 1) * gap
    canvas_width = max(across, min(CAPTION_PIXELS, options.size))
    margin = text // 2
    block = CaptionBlock([], text)
    if canvas_width >= THUMBNAIL_PIXELS:
        block = CaptionBlock.of([*caption, drawing_notes(options, lang)], text, canvas_width - 2 * max(gap, margin))
    bar = 0 if options.style == "masked" else margin + colorbar.height(text)
    below = top + height
    canvas = Image.new("RGB", (canvas_width, below + bar + margin * bool(block.lines) + block.height), PAPER)
    draw = ImageDraw.Draw(canvas)
    start = (canvas_width - across) // 2 + gap
    for index, (name, panel) in enumerate(panels.items()):
        left = start + index * (width + gap)
        put(canvas, panel, (left, top), (width, height))
        if count > 1:
            title = typeface.shorten(CAPTIONS[lang][name], text, width + gap)
            draw.text((left + width // 2, top // 2), title, font=typeface.font(text), fill=colorbar.INK, anchor="mm")
    if bar:
        room = (width, start + width + gap) if count > 1 else (canvas_width - 2 * margin, margin)
        colorbar.draw_colorbar(canvas, (room[1], below + margin), room[0], heat.scale, options, text=text, lang=lang)
    block.draw(draw, (max(gap, margin), below + bar + margin))
    return canvas


def _text_size(width: int) -> int:
    """The size in pixels of the letters of a drawing of this width."""
    return max(11, width // 32)
