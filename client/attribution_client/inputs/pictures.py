"""Pictures as the base64 of PNG, JPEG or WebP files."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attribution_client.errors import InputError
from attribution_client.wire.limits import MAX_IMAGE_BYTES

PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
COLOR_TYPES = {1: 0, 3: 2, 4: 6}  # of PNG, by the number of channels: grey, RGB, RGBA


def is_picture_file(content: bytes) -> bool:
    """Whether the bytes begin as a PNG, JPEG or WebP file does."""
    return content.startswith((PNG, JPEG)) or (content[:4] == b"RIFF" and content[8:12] == b"WEBP")


def is_pil_image(given: Any) -> bool:
    """Whether this is a PIL image; PIL is not imported for that."""
    return any(base.__module__ == "PIL.Image" for base in type(given).__mro__)


def is_pixels(array: NDArray[Any]) -> bool:
    """Whether this is one picture as bytes: (height, width) or (height, width, 1, 3 or 4), uint8."""
    return array.dtype == np.uint8 and (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in COLOR_TYPES))


def encoded_file(content: bytes) -> str:
    """The base64 of a picture file. Raises `InputError` where it is too large or no picture."""
    if not is_picture_file(content):
        raise InputError("the bytes are neither a PNG, nor a JPEG, nor a WebP file")
    if len(content) > MAX_IMAGE_BYTES:
        raise InputError(f"the picture has {len(content)} bytes; the service takes {MAX_IMAGE_BYTES}")
    return base64.b64encode(content).decode()


def encoded_pil_image(image: Any) -> str:
    """The base64 of a PIL image as PNG, which loses nothing."""
    stream = io.BytesIO()
    if image.mode not in {"1", "L", "LA", "P", "RGB", "RGBA", "I;16"}:
        image = image.convert("RGB")
    image.save(stream, "PNG", compress_level=1)
    return encoded_file(stream.getvalue())


def encoded_pixels(pixels: NDArray[np.uint8]) -> str:
    """The base64 of pixels (height, width[, channels]) as PNG (ISO/IEC 15948), written here because PIL is optional."""
    rows = np.ascontiguousarray(pixels if pixels.ndim == 3 else pixels[:, :, None])  # (height, width, channels)
    height, width, channels = rows.shape
    if not rows.size:
        raise InputError(f"a picture of {height} x {width} pixels is empty")
    header = struct.pack(">IIBBBBB", width, height, 8, COLOR_TYPES[channels], 0, 0, 0)
    # Each row begins with the number of its filter; 0 is none.
    filtered = np.concatenate([np.zeros((height, 1), np.uint8), rows.reshape(height, -1)], axis=1)
    compressed = zlib.compress(filtered.tobytes(), 1)
    chunks = ((b"IHDR", header), (b"IDAT", compressed), (b"IEND", b""))
    return encoded_file(PNG + b"".join(_chunk(name, data) for name, data in chunks))


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
