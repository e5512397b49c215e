"""Decodes a part of a WebP picture with the libwebp that Pillow brings.

Pillow's own reader holds a picture five times while it decodes it: two canvases of an animation, the decoder's buffer,
the bytes and the image. libwebp decodes a still picture into a buffer of the caller's, and only the part asked for.
The functions are those of the loaded `PIL._webp`, so that one libwebp is kept up to date.
"""

import ctypes
from ctypes import POINTER, Structure, Union, byref, c_char_p, c_int, c_size_t, c_uint8, c_uint32, c_void_p
from functools import cache
from typing import Final

from PIL import Image, _webp

ABI: Final = 0x0209  # WEBP_DECODER_ABI_VERSION of libwebp 1.0 and later; libwebp refuses another major version
MODE_RGBA: Final = 1
OK: Final = 0


class LibwebpError(ValueError):
    """libwebp could not decode the picture."""


class _Features(Structure):
    _fields_ = [
        *((name, c_int) for name in ("width", "height", "has_alpha", "has_animation", "format")),
        ("pad", c_uint32 * 5),
    ]


class _Rgba(Structure):
    _fields_ = [("rgba", c_void_p), ("stride", c_int), ("size", c_size_t)]


class _Yuva(Structure):
    _fields_ = [
        *((name, c_void_p) for name in ("y", "u", "v", "a")),
        *((name, c_int) for name in ("y_stride", "u_stride", "v_stride", "a_stride")),
        *((name, c_size_t) for name in ("y_size", "u_size", "v_size", "a_size")),
    ]


class _Planes(Union):
    _fields_ = [("RGBA", _Rgba), ("YUVA", _Yuva)]


class _Buffer(Structure):
    _fields_ = [
        *((name, c_int) for name in ("colorspace", "width", "height", "is_external_memory")),
        ("u", _Planes),
        ("pad", c_uint32 * 4),
        ("private_memory", c_void_p),
    ]


class _Options(Structure):
    _fields_ = [
        *((name, c_int) for name in ("bypass_filtering", "no_fancy_upsampling", "use_cropping")),
        *((name, c_int) for name in ("crop_left", "crop_top", "crop_width", "crop_height")),
        *((name, c_int) for name in ("use_scaling", "scaled_width", "scaled_height", "use_threads")),
        *((name, c_int) for name in ("dithering_strength", "flip", "alpha_dithering_strength")),
        ("pad", c_uint32 * 5),
    ]


class _Config(Structure):
    _fields_ = [("input", _Features), ("output", _Buffer), ("options", _Options)]


@cache
def _library() -> ctypes.CDLL | None:
    """libwebp, or None where Pillow hides its symbols."""
    library = ctypes.CDLL(_webp.__file__)
    try:
        library.WebPDecode.argtypes = [c_char_p, c_size_t, POINTER(_Config)]
        library.WebPInitDecoderConfigInternal.argtypes = [POINTER(_Config), c_int]
    except AttributeError:
        return None
    return library if library.WebPInitDecoderConfigInternal(byref(_Config()), ABI) else None


def available() -> bool:
    """Whether `decode_part` can be used."""
    return _library() is not None


def decode_part(still: bytes, box: tuple[int, int, int, int]) -> Image.Image:
    """The part `box` (left, top, right, bottom; left and top are even) of a WebP file of one picture, as RGBA.

    The pixels are those of the whole picture, but for lossy files: their chroma is interpolated over the part alone,
    so that two rows and columns at each cut differ.

    Raises:
        LibwebpError: the file is damaged or incomplete.
    """
    library = _library()
    if library is None:
        raise LibwebpError("Pillow's libwebp cannot be called")
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    pixels = bytearray(width * height * 4)
    config = _Config()
    library.WebPInitDecoderConfigInternal(byref(config), ABI)
    options, output = config.options, config.output
    options.use_cropping, options.crop_left, options.crop_top = 1, left, top
    options.crop_width, options.crop_height = width, height
    output.colorspace, output.is_external_memory = MODE_RGBA, 1
    memory = (c_uint8 * len(pixels)).from_buffer(pixels)
    output.u.RGBA = _Rgba(ctypes.addressof(memory), width * 4, len(pixels))
    status = library.WebPDecode(still, len(still), byref(config))
    if status != OK:
        raise LibwebpError(f"libwebp's status {status}")
    return Image.frombuffer("RGBA", (width, height), pixels, "raw", "RGBA", 0, 1)
