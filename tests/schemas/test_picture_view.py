"""The part of a picture that a model sees."""

from typing import Any

import numpy as np
import pytest
from PIL import Image

from schemas.models import InputCard
from schemas.picture_view import PictureView
from schemas.pictures import Preprocessing


def view(height: int = 20, width: int = 20, **how: Any) -> PictureView:
    return PictureView(height, width, Preprocessing(**how))


@pytest.mark.parametrize(
    ("how", "size", "crop"),
    [
        ({}, (60, 40), [10, 0, 50, 40]),
        ({}, (40, 60), [0, 10, 40, 50]),
        ({"crop_fraction": 0.5}, (60, 40), [20, 10, 40, 30]),
        ({"resize": "stretch"}, (60, 40), [0, 0, 60, 40]),
        ({"resize_to": 40}, (80, 80), [20, 20, 60, 60]),
        ({"resize_to": [40, 80]}, (160, 80), [60, 20, 100, 60]),
    ],
)
def test_crops(how: dict[str, Any], size: tuple[int, int], crop: list[float]) -> None:
    pixels, picture = view(**how).apply(Image.new("RGB", size))
    assert pixels.size == (20, 20)
    assert (picture.width, picture.height) == size
    assert picture.crop == crop


def test_a_wide_input() -> None:
    pixels, picture = view(height=10, width=40).apply(Image.new("RGB", (40, 40)))
    assert pixels.size == (40, 10)
    assert picture.crop == [0, 15, 40, 25]


def test_the_shown_part_is_what_the_pixels_show() -> None:
    picture = Image.new("RGB", (60, 40), "red")
    picture.paste("blue", (10, 0, 50, 40))
    pixels, _ = view().apply(picture)
    assert np.array_equal(np.unique(np.asarray(pixels.crop((1, 1, 19, 19))).reshape(-1, 3), axis=0), [[0, 0, 255]])


def test_pixels_to_write() -> None:
    assert view(8, 8).pixels_to_write((48, 32)) == 64
    assert view(8, 8, resize_to=16).pixels_to_write((32, 64)) == 16 * 32
    assert view(8, 8, resize_to=256).pixels_to_write((8, 1_000_000)) == 64  # scaled to too many pixels: crops first


def test_the_view_of_a_card() -> None:
    card = InputCard(kind="image", shapes=[[3, 12, 34]], preprocessing=Preprocessing(resize="stretch"))
    assert PictureView.of(card) == PictureView(12, 34, Preprocessing(resize="stretch"))
    assert PictureView.of(InputCard(kind="image", shapes=[[3, 5, 5]])).how == Preprocessing()
