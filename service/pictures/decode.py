"""Decodes a client's picture, within limits, to the pixels that a model sees. A refused picture never becomes a job."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from schemas.limits import MAX_IMAGE_BYTES, MAX_IMAGE_PIXELS, MIN_IMAGE_SIDE
from schemas.picture_view import PictureView
from schemas.pictures import Picture
from schemas.sentences import Sentence
from service.pictures.jpeg_file import START_OF_SCAN_MARKER, scans
from service.pictures.sources import Source, open_source
from service.pictures.strips import scaled_pixels, strips, upright_size, working_bytes
from service.tuning import MAX_JPEG_SCANS

FILE_COPIES = 3  # of the file itself while it is read
_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"


class PictureRejected(ValueError):
    """The picture cannot be used. The message is for the client."""


def model_pixels(data: bytes, view: PictureView) -> tuple[NDArray[np.uint8], Picture]:
    """The pixels that a model sees of a picture, (H, W, 3), and the part of the picture that they show.

    Raises:
        PictureRejected: as `open_picture`.
    """
    with _refusing(data) as source:
        return scaled_pixels(source, view)


@dataclass(frozen=True, slots=True)
class Work:
    """What preparing a picture takes, from the headers of its file; zeros if they are refused.

    `pixels`: those that decoding or scaling writes, a measure of its time. `memory_bytes`: the most that it holds at a
    time, all copies.
    """

    pixels: int = 0
    memory_bytes: int = 0


def work_of(data: bytes, view: PictureView) -> Work:
    """What `model_pixels` takes for this file. Decodes nothing."""
    try:
        with _refusing(data) as source:
            scans_written = max(1, data.count(START_OF_SCAN_MARKER)) if data.startswith(_JPEG) else 1
            pixels = max(math.prod(source.full_size) * scans_written, view.pixels_to_write(source.full_size))
            return Work(pixels, working_bytes(source, view) + FILE_COPIES * len(data))
    except PictureRejected:  # `model_pixels` reports the reason, and decodes nothing either
        return Work()


def open_picture(data: bytes) -> Image.Image:
    """Decode a picture to RGB, upright, on white where it is transparent. Of an animation, the first frame. It is
    smaller than the file's picture where the whole takes too much memory, as `PillowSource` says.

    The format, the size and a JPEG's number of scans are checked before anything is decoded.

    Raises:
        PictureRejected: the file is not a PNG, JPEG or WebP, or is too large, too small or damaged.
    """
    with _refusing(data) as source:
        orientation = source.load()
        size = upright_size(source, orientation)
        picture = Image.new("RGB", size)
        for first, strip in strips(source, orientation, range(size[1]), size[0]):
            picture.paste(strip, (0, first))
        return picture


@contextmanager
def _refusing(data: bytes) -> Iterator[Source]:
    """The picture by its headers. Whatever the block raises about the file becomes a `PictureRejected`."""
    kind = _format(data)
    if len(data) > MAX_IMAGE_BYTES:
        raise PictureRejected(
            Sentence("the picture's file is larger than {most} bytes; send a smaller one", most=MAX_IMAGE_BYTES)
        )
    if kind == "JPEG" and scans(data) > MAX_JPEG_SCANS:
        raise PictureRejected(
            Sentence("the JPEG file has more than {most} scans; save it again as a baseline JPEG", most=MAX_JPEG_SCANS)
        )
    try:
        source = open_source(data, kind)
        _check_size(source.full_size)
        yield source
    except PictureRejected:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureRejected(Sentence("the picture has more than {most} pixels", most=MAX_IMAGE_PIXELS)) from None
    except Exception as error:  # on damaged files Pillow raises OSError, SyntaxError, struct.error and others
        raise PictureRejected(Sentence("the {kind} file is damaged or incomplete", kind=kind)) from error


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
            Sentence(
                "the picture has {width} x {height} pixels; at most {most} in total are accepted",
                width=width,
                height=height,
                most=MAX_IMAGE_PIXELS,
            )
        )
    if min(size) < MIN_IMAGE_SIDE:
        raise PictureRejected(
            Sentence(
                "the picture has {width} x {height} pixels; each side needs at least {least}",
                width=width,
                height=height,
                least=MIN_IMAGE_SIDE,
            )
        )
