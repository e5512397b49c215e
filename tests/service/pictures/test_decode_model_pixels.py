"""What the gateway makes of a picture equals, bit for bit, decoding and scaling written out step by step."""

import io
import math
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageOps

from schemas.limits import MAX_IMAGE_PIXELS
from schemas.picture_view import PictureView
from schemas.pictures import Preprocessing
from service.pictures.decode import model_pixels, open_picture

Pixels = NDArray[np.uint8]
INTERPOLATIONS = ["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"]


def reference(data: bytes, view: PictureView) -> Pixels:
    """As the worker decoded and scaled opaque pictures before the gateway did."""
    picture = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    size, how = (view.width, view.height), view.how
    resampling = Image.Resampling[how.interpolation.upper()]
    if how.resize_to is None:
        box = (0.0, 0.0, float(picture.width), float(picture.height))
        if how.resize == "crop":
            scale = min(picture.width / view.width, picture.height / view.height) * how.crop_fraction
            across, down = view.width * scale, view.height * scale
            left, top = (picture.width - across) / 2, (picture.height - down) / 2
            box = (left, top, left + across, top + down)
        return np.array(picture.resize(size, resampling, box=box))
    if isinstance(how.resize_to, list):
        scaled = how.resize_to[1], how.resize_to[0]
    else:
        length = int(how.resize_to * max(picture.size) / min(picture.size))
        upright = picture.width <= picture.height
        scaled = (how.resize_to, length) if upright else (length, how.resize_to)
    assert math.prod(scaled) <= MAX_IMAGE_PIXELS
    x, y = (scaled[0] - view.width) // 2, (scaled[1] - view.height) // 2
    return np.array(picture.resize(scaled, resampling).crop((x, y, x + view.width, y + view.height)))


@st.composite
def views(draw: st.DrawFn) -> PictureView:
    height, width = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    margin = st.integers(0, 12)
    resize_to: Any = draw(
        st.one_of(
            st.none(),
            margin.map(lambda more: max(height, width) + more),
            st.tuples(margin, margin).map(lambda more: [height + more[0], width + more[1]]),
        )
    )
    how = Preprocessing(
        resize=draw(st.sampled_from(["crop", "stretch"])),
        resize_to=resize_to,
        crop_fraction=draw(st.floats(0.2, 1.0)),
        interpolation=draw(st.sampled_from(INTERPOLATIONS)),
    )
    return PictureView(height, width, how)


@settings(max_examples=150, deadline=None)
@given(
    view=views(),
    sides=st.tuples(st.integers(8, 70), st.integers(8, 70)),
    kind=st.sampled_from(["PNG", "JPEG", "WEBP"]),
    mode=st.sampled_from(["RGB", "L", "CMYK", "P", "1"]),
    orientation=st.integers(1, 8),
)
def test_opaque_pictures(view: PictureView, sides: tuple[int, int], kind: str, mode: str, orientation: int) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*sides, 3), dtype=np.uint8)
    held = {"PNG": {"RGB", "L", "P", "1"}, "JPEG": {"RGB", "L", "CMYK"}, "WEBP": {"RGB"}}[kind]
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    Image.fromarray(noise).convert(mode if mode in held else "RGB").save(file, kind, exif=exif)
    pixels, picture = model_pixels(file.getvalue(), view)
    np.testing.assert_array_equal(pixels, reference(file.getvalue(), view))
    assert pixels.shape == (view.height, view.width, 3)
    assert (picture.height, picture.width) == (sides if orientation < 5 else sides[::-1])
    left, top, right, bottom = picture.crop
    assert left >= -1e-9
    assert left < right <= picture.width + 1e-9
    assert top >= -1e-9
    assert top < bottom <= picture.height + 1e-9


@pytest.mark.parametrize(("fraction", "crop"), [(1.0, [20, 0, 80, 60]), (0.5, [35, 15, 65, 45])])
def test_the_centre_crop_is_what_is_told(fraction: float, crop: list[float]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (60, 100, 3), dtype=np.uint8)
    seen, picture = PictureView(20, 20, Preprocessing(crop_fraction=fraction)).apply(Image.fromarray(noise))
    assert picture.crop == crop
    left, top, right, bottom = map(int, crop)
    cut = Image.fromarray(noise).crop((left, top, right, bottom)).resize((20, 20), Image.Resampling.BILINEAR)
    inner = slice(5, 15)  # at the edges the filter sees what surrounds the crop
    assert np.abs(np.asarray(seen, int) - np.asarray(cut, int))[inner, inner].max() <= 1


def png(samples: NDArray[np.integer], depth: int, color: int, **chunks: bytes) -> bytes:
    """A PNG of (H, W, channels) samples with `depth` bits each, written by the format's own definition."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    height, width, _ = samples.shape
    rows = samples.reshape(height, -1)
    if depth == 16:
        lines = [row.astype(">u2").tobytes() for row in rows]
    else:
        bits = (rows[..., None] >> np.arange(depth - 1, -1, -1)) & 1
        lines = [np.packbits(row.reshape(-1).astype(np.uint8)).tobytes() for row in bits]
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    body = chunk(b"IHDR", header) + b"".join(chunk(name.encode(), value) for name, value in chunks.items())
    data = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + line for line in lines)))
    return b"\x89PNG\r\n\x1a\n" + body + data + chunk(b"IEND", b"")


def drawn(data: bytes) -> Pixels:
    return np.asarray(open_picture(data))


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_grey_of_every_depth_with_one_transparent_level(depth: int) -> None:
    top = 2**depth - 1
    levels = np.random.default_rng(depth).integers(0, top + 1, (24, 19, 1))
    for clear in {0, 1, top // 2, int(levels[3, 3, 0]), top}:
        expected = np.where(levels == clear, 255, np.rint(levels / top * 255)).repeat(3, axis=2)
        np.testing.assert_array_equal(drawn(png(levels, depth, 0, tRNS=struct.pack(">H", clear))), expected)


def test_sixteen_bit_colours_with_one_transparent_colour() -> None:
    """The transparent colour is found to its last bit: neighbours with the same high bytes stay."""
    colours = np.random.default_rng(0).integers(0, 65536, (16, 16, 3))
    clear = np.array([0x1280, 0x34FF, 0x5600])
    colours[2, 3] = clear
    colours[2, 4] = clear + np.array([1, 0, 0])
    colours[2, 5] = clear + np.array([0, 0, 1])
    colours[9] = clear & 0xFF00  # the same high bytes
    colours[10] = (clear & 0xFF) << 8  # the low bytes in their place
    expected = colours >> 8
    expected[2, 3] = 255
    data = png(colours, 16, 2, tRNS=struct.pack(">HHH", *clear))
    np.testing.assert_array_equal(drawn(data), expected)


def test_sixteen_bit_colours_without_transparency_and_turned() -> None:
    colours = np.random.default_rng(1).integers(0, 65536, (9, 14, 3))
    np.testing.assert_array_equal(drawn(png(colours, 16, 2)), colours >> 8)
    exif = Image.Exif()
    exif[0x0112] = 6
    clear = struct.pack(">HHH", *colours[4, 4])
    turned = drawn(png(colours, 16, 2, tRNS=clear, eXIf=exif.tobytes().removeprefix(b"Exif\0\0")))
    expected = colours >> 8
    expected[4, 4] = 255
    np.testing.assert_array_equal(turned, np.rot90(expected, -1))


@pytest.mark.parametrize(("depth", "color"), [(8, 4), (16, 4), (8, 6), (16, 6)])
def test_an_alpha_channel_is_laid_on_white(depth: int, color: int) -> None:
    channels = 2 if color == 4 else 4
    samples = np.random.default_rng(2).integers(0, 2**depth, (12, 17, channels))
    samples[0, :, -1], samples[1, :, -1] = 0, 2**depth - 1
    eight = samples >> (depth - 8)
    alpha = eight[..., -1:] / 255
    blended = (eight[..., :-1] * alpha + 255 * (1 - alpha)) * np.ones(3)
    pixels = drawn(png(samples, depth, color))
    assert np.abs(pixels - blended).max() <= 1
    assert (pixels[0] == 255).all()
    np.testing.assert_array_equal(pixels[1], blended[1])


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_a_palette_of_every_depth_with_transparent_entries(depth: int) -> None:
    entries = np.random.default_rng(3).integers(0, 256, (2**depth, 3), dtype=np.uint8)
    places = np.random.default_rng(4).integers(0, 2**depth, (15, 13, 1))
    for alpha in (bytes([255, 0]), bytes([0, 128])):
        opacity = np.full((2**depth, 1), 1.0)
        opacity[:2, 0] = np.frombuffer(alpha, np.uint8) / 255
        blended = (entries * opacity + 255 * (1 - opacity))[places[..., 0]]
        pixels = drawn(png(places, depth, 3, PLTE=entries.tobytes(), tRNS=alpha))
        assert np.abs(pixels - blended).max() <= 1
