"""Decoding in blocks and scaling in strips give the pixels of one decoding and one resize."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from schemas.picture_view import PictureView
from schemas.pictures import Preprocessing
from service.pictures import libwebp, sources, strips, two_passes
from service.pictures.decode import model_pixels, open_picture, work_of


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "WEBP_BLOCK_PIXELS", 900)
    monkeypatch.setattr(strips, "STRIP_PIXELS", 150)
    monkeypatch.setattr(two_passes, "STRIP_PIXELS", 150)


def noise(mode: str, size: tuple[int, int] = (83, 61)) -> Image.Image:
    bands = len(Image.new(mode, (1, 1)).getbands())
    samples = np.random.default_rng(0).integers(0, 256, (size[1], size[0], bands), dtype=np.uint8)
    return Image.fromarray(samples[..., 0] if bands == 1 else samples, mode if bands == 2 else None)


def encoded(picture: Image.Image, kind: str, orientation: int = 1, **options: Any) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    picture.save(file, kind, exif=exif, **options)
    return file.getvalue()


def at_once(data: bytes) -> Image.Image:
    """As one decoding by Pillow, laid on white as a whole."""
    rgba = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("lossless", [True, False])
def test_webp_in_blocks(orientation: int, mode: str, lossless: bool) -> None:
    assert libwebp.available()
    data = encoded(noise(mode), "WEBP", orientation, lossless=lossless)
    np.testing.assert_array_equal(np.asarray(open_picture(data)), np.asarray(at_once(data)))


@pytest.mark.parametrize("lossless", [True, False])
def test_the_first_frame_of_an_animation_in_blocks(lossless: bool) -> None:
    first = noise("RGBA")
    first.paste((0, 0, 0, 0), (0, 0, 30, 61))  # the encoder crops the frame, which then does not fill the canvas
    first.paste((0, 0, 0, 0), (0, 0, 83, 20))
    others = [noise("RGBA").rotate(180)]
    data = encoded(first, "WEBP", save_all=True, append_images=others, lossless=lossless)
    np.testing.assert_array_equal(np.asarray(open_picture(data)), np.asarray(at_once(data)))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGB", "RGBA", "P"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 7])
@pytest.mark.parametrize("size", [(83, 61), (20, 200), (200, 20)])
@pytest.mark.parametrize("interpolation", ["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"])
def test_scaling_in_strips(mode: str, orientation: int, size: tuple[int, int], interpolation: str) -> None:
    """Both of Pillow's orders: rows first, and columns first for tall pictures."""
    picture = noise("RGB", size).convert(mode) if mode in "1P" else noise(mode, size)
    data = encoded(picture, "PNG", orientation)
    for resize in ({"resize": "stretch"}, {"crop_fraction": 0.7}, {"resize_to": [30, 24]}):
        view = PictureView(22, 17, Preprocessing.model_validate({"interpolation": interpolation, **resize}))
        expected = np.asarray(view.apply(at_once(data))[0])
        np.testing.assert_array_equal(model_pixels(data, view)[0], expected)


@pytest.mark.parametrize(("progressive", "bytes_a_pixel"), [(False, 4), (True, 7)])
def test_the_coefficients_of_a_progressive_jpeg_are_counted(progressive: bool, bytes_a_pixel: int) -> None:
    size = 1024, 768
    data = encoded(Image.new("RGB", size), "JPEG", progressive=progressive)
    taken = work_of(data, PictureView(8, 8, Preprocessing())).memory_bytes
    assert bytes_a_pixel * 1024 * 768 <= taken <= (bytes_a_pixel + 0.5) * 1024 * 768
