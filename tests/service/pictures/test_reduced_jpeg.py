"""A JPEG whose coefficients and pixels take too much memory together is decoded at a part of its size."""

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from schemas.picture_view import PictureView
from schemas.pictures import Preprocessing
from service.pictures import sources
from service.pictures.decode import model_pixels, work_of
from tests.service.drawing.drawn import photograph

WIDTH, HEIGHT = 803, 601  # neither is a multiple of a block
PIXELS = WIDTH * HEIGHT
HALF_BYTES = 7.1 * PIXELS  # 6 of coefficients, and 1 of the pixels at half of the size
SMALLEST_BYTES = 6.1 * PIXELS
VIEWS = [
    PictureView(64, 48, Preprocessing()),
    PictureView(64, 48, Preprocessing(resize="stretch", interpolation="bicubic")),
    PictureView(64, 64, Preprocessing(resize_to=72)),
    PictureView(64, 64, Preprocessing(resize_to=[80, 70], crop_fraction=0.9)),
]


def jpeg(orientation: int) -> bytes:
    exif, file = Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    picture = photograph(WIDTH, HEIGHT)
    picture.save(file, "JPEG", quality=95, subsampling=0, progressive=True, exif=exif)
    return file.getvalue()


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("bound", [HALF_BYTES, SMALLEST_BYTES])
def test_the_view_is_that_of_the_whole_picture(
    monkeypatch: pytest.MonkeyPatch, view: PictureView, orientation: int, bound: float
) -> None:
    data = jpeg(orientation)
    whole, shown = model_pixels(data, view)
    pixels_of_whole = work_of(data, view).pixels
    monkeypatch.setattr(sources, "MAX_DECODED_BYTES", bound)
    reduced, shown_of_reduced = model_pixels(data, view)
    assert shown_of_reduced == shown
    assert work_of(data, view).pixels == pixels_of_whole
    with Image.open(io.BytesIO(data)) as file:
        expected = np.asarray(view.apply(ImageOps.exif_transpose(file).convert("RGB"))[0]).astype(int)
    assert np.abs(whole - expected).max() == 0
    difference = np.abs(reduced - expected)
    assert 0 < difference.max() <= 2  # of 255
    assert difference.mean() <= 0.4  # the surplus of the last pixel on the wrong side makes 0.6 or more


def test_no_more_memory_is_counted_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    data, view = jpeg(1), PictureView(8, 8, Preprocessing())
    whole = work_of(data, view).memory_bytes
    for bound, taken in ((HALF_BYTES, 7), (SMALLEST_BYTES, 6)):
        monkeypatch.setattr(sources, "MAX_DECODED_BYTES", bound)
        saved = whole - work_of(data, view).memory_bytes
        assert saved >= (10 - taken - 0.3) * PIXELS
