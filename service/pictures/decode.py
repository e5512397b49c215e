"""A client's picture, decoded within limits to what a model sees. What is refused here never becomes a job."""

import io
import math
import re

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from schemas.limits import MAX_IMAGE_BYTES, MAX_IMAGE_PIXELS, MIN_IMAGE_SIDE
from schemas.picture_view import PictureView
from schemas.pictures import Picture
from service.pictures.flatten import load_keyed, on_white
from service.tuning import MAX_JPEG_SCANS

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_JPEG_MARKER = re.compile(rb"\xff+([^\x00\xd0-\xd7\xff])", re.DOTALL)  # stuffed bytes and restarts are picture data
_SCAN = b"\xff\xda"  # as often as there are scans, or more: it may also stand in a comment
_START_OF_SCAN, _END_OF_IMAGE, _BARE = 0xDA, 0xD9, (0x01, 0xD8)


class PictureRejected(ValueError):
    """The picture cannot be used; the message is written for the client."""


def model_pixels(data: bytes, view: PictureView) -> tuple[NDArray[np.uint8], Picture]:
    """A picture as a model sees it, (H, W, 3), and the part of it that this shows.

    Raises:
        PictureRejected: as `open_picture`.
    """
    seen, told = view.apply(open_picture(data))
    return np.array(seen), told


def pixels_to_write(data: bytes, view: PictureView) -> int:
    """How many pixels decoding or scaling writes, by the file's headers; 0 for what is refused by them."""
    try:
        kind = _format(data)
        with Image.open(io.BytesIO(data), formats=(kind,)) as picture:
            scans = max(1, data.count(_SCAN)) if kind == "JPEG" else 1
            return max(math.prod(picture.size) * scans, view.pixels_to_write(picture.size))
    except Exception:  # see `open_picture`, which says what is wrong with it
        return 0


def open_picture(data: bytes) -> Image.Image:
    """An encoded picture as RGB, upright, on white where it is transparent; the first frame of an animation.

    Format, size and (JPEG) number of scans are read from the file's headers before anything is decoded.

    Raises:
        PictureRejected: no PNG, JPEG or WebP, too large, too small, or damaged.
    """
    kind = _format(data)
    if len(data) > MAX_IMAGE_BYTES:
        raise PictureRejected(f"the picture's file is larger than {MAX_IMAGE_BYTES} bytes")
    if kind == "JPEG" and data.count(_SCAN) > MAX_JPEG_SCANS and _scans(data) > MAX_JPEG_SCANS:
        raise PictureRejected(f"the JPEG file has more than {MAX_JPEG_SCANS} scans")
    try:
        with Image.open(io.BytesIO(data), formats=(kind,)) as picture:
            _check_size(picture.size)
            load_keyed(picture, data)
            return on_white(ImageOps.exif_transpose(picture))
    except PictureRejected:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureRejected(f"the picture has more than {MAX_IMAGE_PIXELS} pixels") from None
    except Exception as error:  # on damaged files Pillow raises nearly anything: OSError, SyntaxError, struct.error…
        raise PictureRejected(f"the {kind} file is damaged or incomplete") from error


def _format(data: bytes) -> str:
    """By the file's first bytes, whatever its name or declared type."""
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
        raise PictureRejected(f"the picture has {width} x {height} pixels, at most {MAX_IMAGE_PIXELS} in all")
    if min(size) < MIN_IMAGE_SIDE:
        raise PictureRejected(f"the picture has {width} x {height} pixels, at least {MIN_IMAGE_SIDE} a side")


def _scans(data: bytes) -> int:
    """Scans of a JPEG file, counted up to one over the limit.

    A progressive file may repeat an empty scan of some 80 bytes a hundred thousand times; at 40 million pixels each
    costs the decoder tens of milliseconds.
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
