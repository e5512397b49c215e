"""Converts a decoded picture to RGB, on white where it is transparent."""

import io
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from service.tuning import STRIP_PIXELS

_GREY_LEVELS = {"L;2": 4, "L;4": 16}  # levels of grey PNG files below 8 bits, by Pillow's name of the coding
_TRUE_COLOUR_16 = "RGB;16B"  # big-endian; Pillow keeps the high bytes
_LOW_BYTES = "RGB;16L"  # little-endian; its high bytes are the low bytes of the file

Bits = NDArray[np.uint8]  # (H, W / 8): a bit for each pixel


def load_with_transparency(picture: ImageFile.ImageFile, data: bytes) -> None:
    """Decode an opened file, so that a transparent colour (tRNS chunk) is in the units of the decoded pixels.

    Pillow compares the chunk's value with the decoded pixels, although it scales grey of 2 and 4 bits to 8 bits and
    keeps only the high bytes of 16-bit colours. Here the grey value is scaled too, and 16-bit colours are compared in
    full and painted white. For that the file is decoded twice, one after the other: first for the low bytes.

    Raises:
        Exception: the file is damaged; Pillow raises many kinds.
    """
    coding = picture.tile[0].args if picture.format == "PNG" and picture.tile else None
    clear = picture.info.get("transparency")
    if isinstance(clear, tuple) and coding == _TRUE_COLOUR_16:
        candidates = _with_low_bytes(data, clear)
        picture.load()
        _paint_white(picture, candidates, clear)
        del picture.info["transparency"]
        return
    picture.load()
    if isinstance(clear, int) and coding in _GREY_LEVELS:
        levels = _GREY_LEVELS[str(coding)]
        picture.info["transparency"] = clear % levels * (255 // (levels - 1))


def mask_bytes(picture: ImageFile.ImageFile) -> int:
    """The memory that `load_with_transparency` holds besides the picture: a bit for each pixel."""
    coding = picture.tile[0].args if picture.format == "PNG" and picture.tile else None
    has_mask = coding == _TRUE_COLOUR_16 and "transparency" in picture.info
    return -(-picture.width // 8) * picture.height if has_mask else 0


def on_white(picture: Image.Image) -> Image.Image:
    """The picture as RGB on a white background. 16-bit grey is scaled to 8 bits."""
    if picture.mode.startswith("I"):  # 16-bit grey: Pillow's own conversion clips it to white
        levels = np.asarray(picture).astype(np.float32)
        if isinstance(clear := picture.info.get("transparency"), int):
            levels[levels == clear] = 65535
        return Image.fromarray(np.rint(levels.clip(0, 65535) / 257).astype(np.uint8)).convert("RGB")
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    rgba = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")


def _with_low_bytes(data: bytes, clear: tuple[int, ...]) -> Bits:
    """Where a PNG file of 16-bit colours has the low bytes of the colour `clear`."""
    with Image.open(io.BytesIO(data), formats=("PNG",)) as picture:
        picture.tile = [tile._replace(args=_LOW_BYTES) for tile in picture.tile]
        picture.load()
        low_bytes = [level & 255 for level in clear]
        return np.concatenate([np.packbits(_equal(picture, rows, low_bytes), axis=1) for rows in _strips(picture)])


def _paint_white(picture: Image.Image, candidates: Bits, clear: tuple[int, ...]) -> None:
    """Paint white where a candidate has the high bytes of the colour `clear`."""
    high_bytes = [level >> 8 for level in clear]
    for rows in _strips(picture):
        candidate = np.unpackbits(candidates[rows.start : rows.stop], axis=1, count=picture.width).astype(np.bool_)
        transparent = candidate & _equal(picture, rows, high_bytes)
        picture.paste((255, 255, 255), (0, rows.start), Image.fromarray(transparent))


def _strips(picture: Image.Image) -> Iterator[range]:
    """All rows, some at a time, which bounds the memory."""
    step = max(1, STRIP_PIXELS // picture.width)
    return (range(top, min(picture.height, top + step)) for top in range(0, picture.height, step))


def _equal(picture: Image.Image, rows: range, color: Sequence[int]) -> NDArray[np.bool_]:
    """Which pixels of some rows have this colour in RGB."""
    pixels = np.asarray(picture.crop((0, rows.start, picture.width, rows.stop)))
    equal = np.ones(pixels.shape[:2], dtype=np.bool_)
    for channel, level in enumerate(color):  # a fifth of the time of one comparison of all channels
        equal &= pixels[..., channel] == level
    return equal
