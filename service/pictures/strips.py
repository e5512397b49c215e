"""Turns a decoded picture upright, lays it on white and scales it, strip by strip: there is no second full copy."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from schemas.picture_view import PictureView
from schemas.pictures import Picture
from service.pictures.flatten import on_white
from service.pictures.sources import Box, Source
from service.pictures.two_passes import TRANSPOSED, TwoPasses
from service.tuning import STRIP_PIXELS

UPRIGHT: Final = {  # by EXIF orientation, as `PIL.ImageOps.exif_transpose`
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def upright_size(source: Source, orientation: int) -> tuple[int, int]:
    """Width and height of the decoded picture when it is turned upright."""
    return source.size[::-1] if orientation >= 5 else source.size


def strips(source: Source, orientation: int, rows: range, width: int) -> Iterator[tuple[int, Image.Image]]:
    """The rows of the upright picture as RGB on white: the first row of each strip, and the strip.

    Args:
        width: pixels of a row; a strip has at most `STRIP_PIXELS` of them, but at least a row.
    """
    block_rows = max(1, source.block_pixels // upright_size(source, orientation)[0])
    strip_rows = max(1, STRIP_PIXELS // width)
    for start in range(rows.start, rows.stop, block_rows):
        end = min(rows.stop, start + block_rows)
        block, (left, top) = source.block(_stored_box(source.size, orientation, start, end))
        for first in range(start, end, strip_rows):
            box = _stored_box(source.size, orientation, first, min(end, first + strip_rows))
            strip = on_white(block.crop((box[0] - left, box[1] - top, box[2] - left, box[3] - top)))
            yield first, strip.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else strip
        del block  # before the next one is decoded


def scaled_pixels(source: Source, view: PictureView) -> tuple[NDArray[np.uint8], Picture]:
    """The pixels that a model sees, (H, W, 3), and the part of the picture that they show.

    Raises:
        Exception: the file is damaged; Pillow raises many kinds.
    """
    orientation = source.load()
    width, height = source.full_size
    upright = (height, width) if orientation >= 5 else (width, height)
    passes = TwoPasses.of(view, upright, source.reduction, (orientation in (2, 3, 6, 7), orientation in (3, 4, 7, 8)))
    if passes.transposed:
        orientation = TRANSPOSED[orientation]
    left, top, right, bottom = passes.kept
    across, down = passes.scaled
    origin, width, box = passes.canvas_origin, passes.kept_width, passes.box
    canvas = Image.new("RGB", (width, passes.size[1] - origin), None)  # None: rows that are not needed take no memory
    for first, strip in strips(source, orientation, passes.rows, passes.longest_row):
        scaled = strip.resize((across, strip.height), view.resampling, box=(box[0], 0, box[2], strip.height))
        canvas.paste(scaled.crop((left, 0, right, strip.height)), (0, first - origin))
    seen = canvas.resize((width, down), view.resampling, box=(0, box[1] - origin, width, box[3] - origin))
    seen = seen.crop((0, top, width, bottom))
    return np.array(seen.transpose(Image.Transpose.TRANSPOSE) if passes.transposed else seen), passes.shown


def working_bytes(source: Source, view: PictureView) -> int:
    """The most memory that decoding and scaling a picture takes, from its headers: all copies."""
    sizes = {source.full_size, source.full_size[::-1]}  # a PNG file may tell only at its end that it is turned
    return source.decoded_bytes + max(TwoPasses.of(view, size, source.reduction).working_bytes for size in sizes)


def _stored_box(size: tuple[int, int], orientation: int, first: int, last: int) -> Box:
    """Where rows `first` to `last` (exclusive) of the upright picture lie in the file's picture."""
    width, height = size
    if orientation in (1, 2):
        return 0, first, width, last
    if orientation in (3, 4):
        return 0, height - last, width, height - first
    if orientation in (5, 6):
        return first, 0, last, height
    return width - last, 0, width - first, height
