"""A decoded picture as RGB, on white where it is transparent."""

import io
from typing import Any

import numpy as np
from PIL import Image, ImageFile

_GREY_LEVELS = {"L;2": 4, "L;4": 16}  # of PNG files with less than 8 bits, by the decoder's name for their data
_TRUE_COLOUR_16 = "RGB;16B"  # big-endian, of which Pillow keeps the high bytes
_LOW_BYTES = "RGB;16L"  # little-endian: the high bytes of that order are the low bytes of the file's


def load_keyed(picture: ImageFile.ImageFile, data: bytes) -> None:
    """Decodes an opened file. A colour that its tRNS chunk calls transparent is in the units of the decoded pixels.

    Pillow compares the chunk's number with the decoded pixels, but scales grey of 2 and 4 bits to 8, and keeps the high
    bytes of 16-bit colours. The latter are compared here, to their last bit, and become white.

    Raises:
        Exception: of nearly any kind, for a damaged file.
    """
    coding = picture.tile[0].args if picture.format == "PNG" and picture.tile else None
    picture.load()
    clear = picture.info.get("transparency")
    if isinstance(clear, int) and coding in _GREY_LEVELS:
        levels = _GREY_LEVELS[str(coding)]
        picture.info["transparency"] = clear % levels * (255 // (levels - 1))
    elif isinstance(clear, tuple) and coding == _TRUE_COLOUR_16:
        picture.paste((255, 255, 255), (0, 0), Image.fromarray(_keyed(picture, data, clear)))
        del picture.info["transparency"]


def on_white(picture: Image.Image) -> Image.Image:
    """RGB. 16-bit grey is scaled to 8 bits."""
    if picture.mode.startswith("I"):  # 16-bit grey, which Pillow's own conversion would clip to white
        levels = np.asarray(picture).astype(np.float32)
        if isinstance(clear := picture.info.get("transparency"), int):
            levels[levels == clear] = 65535
        return Image.fromarray(np.rint(levels.clip(0, 65535) / 257).astype(np.uint8)).convert("RGB")
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    rgba = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")


def _keyed(picture: Image.Image, data: bytes, clear: tuple[int, ...]) -> Any:
    """(H, W) bool: where a PNG file of 16-bit colours has exactly this colour."""
    with Image.open(io.BytesIO(data), formats=("PNG",)) as again:
        again.tile = [tile._replace(args=_LOW_BYTES) for tile in again.tile]
        again.load()
        high, low = np.asarray(picture), np.asarray(again)
        keyed = np.ones(high.shape[:2], dtype=np.bool_)
        for channel, level in enumerate(clear):  # one at a time: 40 million pixels may come
            keyed &= (high[..., channel] == level >> 8) & (low[..., channel] == (level & 255))
        return keyed
