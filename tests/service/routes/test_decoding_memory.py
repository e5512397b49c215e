"""Small files of 40 million pixels: the peak memory of a real gateway, and that each gets an answer."""

import io
import struct
import zlib
from functools import partial

import pytest
from PIL import Image

from tests.service.routes.measured import MeasuredGateway, at_once

SIDE = 6320  # 39.9 million pixels
AT_ONCE = 20
ALLOWED_RISE_KIB = 300 * 1024
ALLOWED_RISE_ALONE_KIB = 350 * 1024


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def webp() -> bytes:
    return encoded(Image.new("RGBA", (SIDE, SIDE), (200, 10, 10, 128)), "WEBP", lossless=True)


def animation() -> bytes:
    frames = [Image.new("RGBA", (SIDE, SIDE), (200, shade, 10, 128)) for shade in (0, 90)]
    return encoded(frames[0], "WEBP", lossless=True, method=0, save_all=True, append_images=frames[1:])


def png(mode: str, **options: object) -> bytes:
    picture = Image.new(mode, (SIDE, SIDE), None if mode == "P" else 0)
    if mode == "P":
        picture.putpalette([7] * 768)
    return encoded(picture, "PNG", compress_level=1, **options)


def sixteen_bit_png() -> bytes:
    """RGB of 16 bits with a transparent colour, which Pillow cannot write."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    row, packer = b"\0" + bytes([1, 2, 3, 4, 5, 6]) * SIDE, zlib.compressobj(1)
    pixels = b"".join([packer.compress(row) for _ in range(SIDE)]) + packer.flush()
    header, clear = struct.pack(">IIBBBBB", SIDE, SIDE, 16, 2, 0, 0, 0), struct.pack(">HHH", 0x102, 0x304, 0x506)
    chunks = (b"IHDR", header), (b"tRNS", clear), (b"IDAT", pixels), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(name, body) for name, body in chunks)


def jpeg(mode: str, **options: object) -> bytes:
    return encoded(Image.new(mode, (SIDE, SIDE)), "JPEG", **options)


@pytest.mark.parametrize("kind", ["webp", "mixed"])
def test_twenty_large_pictures_at_once(measured_gateway: MeasuredGateway, kind: str) -> None:
    files = [webp()]
    if kind == "mixed":
        files = [animation(), png("P", transparency=bytes([255, 0])), png("I;16"), png("LA"), jpeg("CMYK")]
    before = measured_gateway.peak_kib()
    calls = [partial(measured_gateway.explain, files[index % len(files)], index) for index in range(AT_ONCE)]
    answers = at_once(calls)
    assert [answer.status_code for answer in answers] == [202] * AT_ONCE
    assert measured_gateway.peak_kib() - before <= ALLOWED_RISE_KIB


def test_pictures_that_take_more_than_the_budget_are_decoded_one_at_a_time(measured_gateway: MeasuredGateway) -> None:
    files = [
        jpeg("RGB", progressive=True),
        jpeg("RGB", progressive=True, subsampling=0),
        jpeg("CMYK", progressive=True),
        sixteen_bit_png(),
        encoded(Image.new("RGB", (16, 2_490_000)), "PNG"),
    ]
    before = measured_gateway.peak_kib()
    answers = at_once([partial(measured_gateway.explain, file) for file in files])
    assert [answer.status_code for answer in answers] == [202] * len(files)
    assert measured_gateway.peak_kib() - before <= ALLOWED_RISE_ALONE_KIB
