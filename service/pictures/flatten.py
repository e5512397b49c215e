"""Converts a decoded picture to RGB, on white where it is transparent."""

import io

import numpy as np
from PIL import Image, ImageFile

from service.tuning import STRIP_PIXELS

_GREY_LEVELS = {"L;2": 4, "L;4": 16}  # levels of grey PNG files below 8 bits, by Pillow's name of the coding
_TRUE_COLOUR_16 = "RGB;16B"  # big-endian; Pillow keeps the high bytes
_LOW_BYTES = "RGB;16L"  # little-endian; its high bytes are the low bytes of the file


def load_with_transparency(picture: ImageFile.ImageFile, data: bytes) -> None:
    """Decode an opened file, so that a transparent colour (tRNS chunk) is in the units of the decoded pixels.

    Pillow compares the chunk's value with the decoded pixels, although it scales grey of 2 and 4 bits to 8 bits and
    keeps only the high bytes of 16-bit colours. Here the grey value is scaled too, and 16-bit colours are compared in
    full and painted white.

    Raises:
        Exception: the file is damaged; Pillow raises many kinds.
    """
    coding = picture.tile[0].args if picture.format == "PNG" and picture.tile else None
    clear = picture.info.get("transparency")
    picture.load()
    if isinstance(clear, int) and coding in _GREY_LEVELS:
        levels = _GREY_LEVELS[str(coding)]
        picture.info["transparency"] = clear % levels * (255 // (levels - 1))
    elif isinstance(clear, tuple) and coding == _TRUE_COLOUR_16:
        _paint_white(picture, data, clear)
        del picture.info["transparency"]


def full_copies(picture: ImageFile.ImageFile) -> int:
    """How many times `load_with_transparency` holds the whole picture."""
    coding = picture.tile[0].args if picture.format == "PNG" and picture.tile else None
    return 2 if coding == _TRUE_COLOUR_16 and "transparency" in picture.info else 1


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


def _paint_white(picture: Image.Image, data: bytes, clear: tuple[int, ...]) -> None:
    """Paint white where a PNG file of 16-bit colours has exactly the colour `clear`."""
    width, height = picture.size
    step = max(1, STRIP_PIXELS // width)  # rows at a time, which bounds the memory
    with Image.open(io.BytesIO(data), formats=("PNG",)) as again:
        again.tile = [tile._replace(args=_LOW_BYTES) for tile in again.tile]
        again.load()
        for top in range(0, height, step):
            box = (0, top, width, min(height, top + step))
            high, low = np.asarray(picture.crop(box)), np.asarray(again.crop(box))
            transparent = np.ones(high.shape[:2], dtype=np.bool_)
            for channel, level in enumerate(clear):
                transparent &= (high[..., channel] == level >> 8) & (low[..., channel] == (level & 255))
            picture.paste((255, 255, 255), (0, top), Image.fromarray(transparent))
