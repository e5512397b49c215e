"""The memory that drawing a result takes, by what is known before: an upper estimate, which is reserved."""

from collections.abc import Sequence

from schemas.results import ResultMeta, TextScore
from service.drawing.curves import HEIGHT, OVERSAMPLING
from service.drawing.feature_bars import BARS
from service.drawing.image_overlay import fitted
from service.drawing.overlay_options import OverlayOptions
from service.drawing.sheet import Sheet
from service.tuning import (
    DRAWN_PIXELS,
    MAX_MAP_SIDE,
    MAX_PANEL_PIXELS,
    MAX_SHEET_TEXT_PIXELS,
    MAX_TEXT_LINES,
    MIN_ANIMATION_WIDTH,
)

CANVAS_BYTES = 4  # of a pixel in Pillow's memory
FILE_BYTES = 3  # of a pixel in a PNG file at most
STRIP_BYTES = 96  # of a pixel while strengths become colours and are mixed
SMOOTHING_BYTES = 24  # of an element of the two matrices that smooth a map
MAP_BYTES = 18  # of an element while channels are summed: float64, with temporary copies; 13 were measured
CAPTION_SHARE = 0.12  # of a drawing's pixels, for caption and colour bar
CAPTION_PIXELS = 200_000  # that the caption of a small drawing has
SLACK = 1.1  # what the allocator keeps
LINE_PITCH = 2  # from one line to the next, in heights of a letter
SHEET_LINES = 8  # of title, legend and margins


def overlay_bytes(meta: ResultMeta, options: OverlayOptions, width: int) -> int:
    """The most memory that the overlay of one example takes, besides the stored tensors and the payload.

    Args:
        width: of words and bars, in pixels.
    """
    if meta.words is not None:
        return max(_text_bytes(words, width) for words in meta.words)
    if meta.features is not None:
        return sheet_bytes(width, BARS + 2)
    down, across = map_shape(meta)
    region: tuple[float, float] = (across, down)
    if meta.picture is not None:
        left, top, right, bottom = meta.picture.crop
        region = (right - left, bottom - top)
    panels = 3 if options.style == "side_by_side" else 1
    longest = min(options.size, MAX_PANEL_PIXELS) if panels > 1 else options.size
    across_drawn, down_drawn = fitted(region, longest)
    return round(SLACK * max(map_bytes(meta), drawing_bytes(panels * across_drawn * down_drawn)))


def path_bytes(meta: ResultMeta, options: OverlayOptions) -> int:
    """The most memory that the animation of one example's path takes: two canvases of the encoder, one frame with its
    plot, and the file."""
    columns = 2 if meta.picture is not None else 1
    width = max(MIN_ANIMATION_WIDTH, columns * options.size) + (columns + 1) * MAX_SHEET_TEXT_PIXELS
    canvas = width * (options.size + width) * CANVAS_BYTES
    return round(SLACK * (map_bytes(meta) + 5 * canvas + plot_bytes(width)))


def plot_bytes(width: int) -> int:
    """A plot of curves of this width, drawn larger and scaled down to smooth its edges, on a sheet."""
    return round(width * width * CANVAS_BYTES * (2 * HEIGHT * OVERSAMPLING**2 + 1))


def drawing_bytes(pixels: int) -> int:
    """The canvas of a drawing of so many pixels without its caption, its file, and a strip."""
    captioned = round(pixels * (1 + CAPTION_SHARE)) + CAPTION_PIXELS
    return captioned * CANVAS_BYTES + pixels * FILE_BYTES + min(pixels, DRAWN_PIXELS) * STRIP_BYTES


def map_bytes(meta: ResultMeta) -> int:
    """What it takes to make a map of one example's attribution, before it is enlarged."""
    down, across = map_shape(meta)
    matrices = min(down, MAX_MAP_SIDE) ** 2 + min(across, MAX_MAP_SIDE) ** 2
    return down * across * MAP_BYTES + matrices * SMOOTHING_BYTES


def map_shape(meta: ResultMeta) -> tuple[int, int]:
    """Height and width of the map in elements; (1, 1) for what is no map, which is not drawn."""
    shape = meta.attributions[0].shape if meta.attributions else []
    return (max(1, shape[-2]), max(1, shape[-1])) if len(shape) == 4 else (1, 1)


def sheet_bytes(width: int, lines: int) -> int:
    """A white sheet with so many lines of letters, besides title and legend. Its file is small."""
    return width * LINE_PITCH * Sheet(width).text * (lines + SHEET_LINES) * CANVAS_BYTES


def _text_bytes(words: Sequence[TextScore], width: int) -> int:
    """Each word begins a line at worst; an overlong one takes several, of letters as wide as high at worst."""
    sheet = Sheet(width)
    chars = sum(len(word.text) for word in words)
    return sheet_bytes(width, min(MAX_TEXT_LINES, len(words) + chars * sheet.text // max(1, sheet.room)) + 1)
