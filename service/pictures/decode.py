"""Decodes a client's picture, within limits, to the pixels that a model sees. A refused picture never becomes a job."""

import io
import math
import re

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from schemas.limits import MAX_IMAGE_BYTES, MAX_IMAGE_PIXELS, MIN_IMAGE_SIDE
from schemas.picture_view import PictureView
from schemas.pictures import Picture
from service.pictures.flatten import load_with_transparency, on_white
from service.tuning import MAX_JPEG_SCANS

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_JPEG_MARKER = re.compile(
    rb"\xff+([^\x00\xd0-\xd7\xff])", re.DOTALL
)  # not stuffed bytes or restarts, which are picture data
_SCAN = b"\xff\xda"  # found at least once per scan, and possibly inside comments
_START_OF_SCAN, _END_OF_IMAGE, _BARE = 0xDA, 0xD9, (0x01, 0xD8)


class PictureRejected(ValueError):
    """The picture cannot be used. The message is for the client."""


def model_pixels(data: bytes, view: PictureView) -> tuple[NDArray[np.uint8], Picture]:
    """The pixels that a model sees of a picture, (H, W, 3), and the part of the picture that they show.

    Raises:
        PictureRejected: as `open_picture`.
    """
    pixels, picture = view.apply(open_picture(data))
    return np.array(pixels), picture


def pixels_to_write(data: bytes, view: PictureView) -> int:
    """The number of pixels that decoding or scaling writes, from the file's headers; 0 if the headers are refused."""
    try:
        kind = _format(data)
        with Image.open(io.BytesIO(data), formats=(kind,)) as picture:
            scans = max(1, data.count(_SCAN)) if kind == "JPEG" else 1
            return max(math.prod(picture.size) * scans, view.pixels_to_write(picture.size))
    except Exception:  # `open_picture` reports what is wrong with the file
        return 0


def open_picture(data: bytes) -> Image.Image:
    """Decode a picture to RGB, upright, on white where it is transparent. Of an animation, the first frame.

    The format, the size and a JPEG's number of scans are checked before anything is decoded.

    Raises:
        PictureRejected: the file is not a PNG, JPEG or WebP, or is too large, too small or damaged.
    """
    kind = _format(data)
    if len(data) > MAX_IMAGE_BYTES:
        raise PictureRejected(f"the picture's file is larger than {MAX_IMAGE_BYTES} bytes; send a smaller one")
    if kind == "JPEG" and data.count(_SCAN) > MAX_JPEG_SCANS and _scans(data) > MAX_JPEG_SCANS:
        raise PictureRejected(f"the JPEG file has more than {MAX_JPEG_SCANS} scans; save it again as a baseline JPEG")
    try:
        with Image.open(io.BytesIO(data), formats=(kind,)) as picture:
            _check_size(picture.size)
            load_with_transparency(picture, data)
            return on_white(ImageOps.exif_transpose(picture))
    except PictureRejected:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureRejected(f"the picture has more than {MAX_IMAGE_PIXELS} pixels") from None
    except Exception as error:  # on damaged files Pillow raises OSError, SyntaxError, struct.error and others
        raise PictureRejected(f"the {kind} file is damaged or incomplete") from error


def _format(data: bytes) -> str:
    """The format by the file's first bytes; its name and declared type do not count."""
    if data.startswith(_PNG):
        return "PNG"
    if data.startswith(_JPEG):
        return "JPEG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    raise PictureRejected("the picture is not a PNG, JPEG or WebP file")


def _check_size(size: tuple[int, int]) -> None:
    width, height = size
    if width * height > MAX_IMAGE_PIXELS:
        raise PictureRejected(
            f"the picture has {width} x {height} pixels; at most {MAX_IMAGE_PIXELS} in total are accepted"
        )
    if min(size) < MIN_IMAGE_SIDE:
        raise PictureRejected(f"the picture has {width} x {height} pixels; each side needs at least {MIN_IMAGE_SIDE}")


def _scans(data: bytes) -> int:
    """The number of scans of a JPEG file, counted up to one over the limit.

    A progressive file may repeat an empty scan of some 80 bytes a hundred thousand times. At 40 million pixels each
    scan takes the decoder tens of milliseconds.
    """
    scans = position = 0
    while scans <= MAX_JPEG_SCANS:
        marker = _JPEG_MARKER.search(data, position)
        if marker is None or marker[1][0] == _END_OF_IMAGE:
            break
        position = marker.end()
        scans += marker[1][0] == _START_OF_SCAN
        if marker[1][0] not in _BARE:
            position += int.from_bytes(data[position : position + 2], "big")
    return scans
