"""Animates the path of Integrated Gradients: the picture lights up, the map fills, the sum reaches the output."""

import io
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from schemas.results import PathPoints
from service.drawing import colorbar, typeface
from service.drawing.caption_block import CaptionBlock, Line, drawing_notes
from service.drawing.captions import CAPTIONS
from service.drawing.colormaps import Pixels, paint
from service.drawing.heatmap import heat_map, map_size
from service.drawing.image_overlay import PAPER, fitted
from service.drawing.lazy_frames import LazyFrames
from service.drawing.overlay_options import OverlayOptions
from service.drawing.path_plot import PathPlot
from service.drawing.sheet import Sheet
from service.drawing.view import view_of
from service.languages import Language
from service.tuning import LAST_FRAME_MS, MIN_ANIMATION_WIDTH


def render_path(
    ends: tuple[Pixels, Pixels] | None,
    maps: NDArray[np.generic],
    points: PathPoints,
    options: OverlayOptions,
    *,
    frame_ms: int,
    target: str,
    lang: Language = "en",
    proportions: tuple[float, float] | None = None,
    caption: Sequence[Line] = (),
) -> bytes:
    """Draw an animated WebP that repeats: the baseline, then each point of the path; the last stays longer.

    All maps have the scale of the last one, so that the map is seen to fill.

    Args:
        ends: what baseline and input look like, (H, W, 3) each; None if they are no pictures.
        maps: the attributions so far at each point, finite: (points, C, H, W).
        frame_ms: milliseconds of one frame.
        target: the name of the target; may be empty.
        proportions: as in `render_overlay`.
        caption: what is shown; the smoothing and the scale are added to it.

    Raises:
        ValueError: the maps have another shape.
    """
    draw = _drawer(ends, maps, points, options, target, lang, proportions, caption)
    file = io.BytesIO()
    times = [frame_ms] * len(points.alphas) + [LAST_FRAME_MS]
    frames = LazyFrames(len(times), draw)
    frames.save(file, "WEBP", save_all=True, duration=times, loop=0, quality=85, method=2)
    return file.getvalue()


def _drawer(
    ends: tuple[Pixels, Pixels] | None,
    maps: NDArray[np.generic],
    points: PathPoints,
    options: OverlayOptions,
    target: str,
    lang: Language,
    proportions: tuple[float, float] | None,
    caption: Sequence[Line],
) -> Callable[[int], Image.Image]:
    """Draws the frame of so many points of the path done, from 0 on."""
    size = fitted(proportions or (ends[0].shape[1::-1] if ends else map_size(maps[-1])), options.size)
    scale = heat_map(maps[-1], options, size)
    one_scale = options.model_copy(update={"style": "heatmap", "limit": scale.limit or None})
    columns = 2 if ends else 1
    text = Sheet(max(MIN_ANIMATION_WIDTH, columns * size[0])).text
    width = max(MIN_ANIMATION_WIDTH, columns * size[0] + (columns + 1) * text)
    sheet, words = Sheet(width), CAPTIONS[lang]
    left = (width - columns * size[0] - (columns - 1) * text) // 2
    top, map_left = 2 * text, left + (columns - 1) * (size[0] + text)
    below = top + size[1] + text // 2
    plot = PathPlot.of(sheet, below + colorbar.height(text) + text, points, target, lang)
    notes = drawing_notes(options.model_copy(update={"style": "heatmap"}), lang)
    block = CaptionBlock.of([*caption, notes], text, sheet.room)
    last_line = plot.top + plot.height
    canvas = Image.new("RGB", (width, last_line + 2 * text + block.height), PAPER)
    colorbar.draw_colorbar(canvas, (map_left, below), size[0], scale.scale, one_scale, text=text, lang=lang)
    block.draw(ImageDraw.Draw(canvas), (sheet.margin, last_line + round(1.6 * text)))

    def draw_frame(shown: int) -> Image.Image:
        frame = canvas.copy()
        draw = ImageDraw.Draw(frame)
        alpha = points.alphas[shown - 1] if shown else 0.0
        if ends is not None:
            frame.paste(view_of(_between(*ends, alpha), size), (left, top))
            named = words["on path"].format(value=f"{alpha:.2f}")
            _centred(draw, named, (left + size[0] // 2, top // 2), text, size[0])
        strength = heat_map(maps[shown - 1] if shown else np.zeros_like(maps[0]), one_scale, size).strength
        frame.paste(Image.fromarray(paint(strength, options.sign, options.colormap)), (map_left, top))
        _centred(draw, words["so far"], (map_left + size[0] // 2, top // 2), text, size[0])
        plot.draw(frame, shown)
        told = _completeness(points, shown, lang)
        draw.text((sheet.margin, last_line), told, font=typeface.font(text), fill=colorbar.INK, anchor="la")
        return frame

    return draw_frame


def _between(baseline: Pixels, picture: Pixels, alpha: float) -> Image.Image:
    """The picture at a place of the path, as it looks: normalisation is affine, so pixels mix as the inputs do."""
    mixed = baseline + alpha * (picture.astype(np.float32) - baseline)
    return Image.fromarray(np.rint(mixed).clip(0, 255).astype(np.uint8))


def _centred(draw: ImageDraw.ImageDraw, words: str, middle: tuple[int, int], text: int, room: int) -> None:
    line = typeface.shorten(words, text, room + text)
    draw.text(middle, line, font=typeface.font(text), fill=colorbar.INK, anchor="mm")


def _completeness(points: PathPoints, shown: int, lang: Language) -> str:
    """The attributions so far, and the difference of the outputs that they add up to in the end."""
    if points.baseline_output is None:
        return ""
    total = points.sums[shown - 1] if shown else 0.0
    whole = points.input_output - points.baseline_output
    share = f"{100 * total / whole:.0f}" if whole else "0"
    return CAPTIONS[lang]["missing"].format(
        sum=typeface.number(total, lang), whole=typeface.number(whole, lang), share=share.replace("-", typeface.MINUS)
    )
