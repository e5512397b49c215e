"""Charts, looked at by their pixels."""

import io

import numpy as np
import pytest
from PIL import Image

from attribution_client.mlflow.charts import MAX_BARS, bar_chart, region_chart


def pixels(png: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(png)) as opened:
        assert opened.format == "PNG"
        return np.asarray(opened.convert("RGB")).astype(int)


def reddish(image: np.ndarray) -> np.ndarray:
    return (image[..., 0] - image[..., 2]) > 60


def bluish(image: np.ndarray) -> np.ndarray:
    return (image[..., 2] - image[..., 0]) > 60


def test_bars_point_left_and_right_by_sign() -> None:
    image = pixels(bar_chart(["up", "down"], [2.0, -2.0], "title", "attribution"))
    red, blue = reddish(image), bluish(image)
    assert red.any()
    assert blue.any()
    assert np.nonzero(red.any(axis=1))[0].max() < np.nonzero(blue.any(axis=1))[0].min()  # the first stands above
    assert np.nonzero(blue.any(axis=0))[0].max() <= np.nonzero(red.any(axis=0))[0].min() + 2


def test_the_length_of_a_bar_is_its_value() -> None:
    red = reddish(pixels(bar_chart(["a", "b"], [4.0, 1.0], "title", "attribution")))
    lengths = [row.sum() for row in red if row.any()]
    assert max(lengths) == pytest.approx(4 * min(lengths), rel=0.05)


def test_few_bars_are_drawn_of_many() -> None:
    many = bar_chart([str(n) for n in range(500)], [1.0] * 500, "t", "a")
    few = bar_chart([str(n) for n in range(MAX_BARS)], [1.0] * MAX_BARS, "t", "a")
    assert pixels(many).shape == pixels(few).shape


@pytest.mark.parametrize("name", ["$\\frac{", "\x00\n", "日本語", "x" * 10_000, "", "_" * 3])
@pytest.mark.filterwarnings("ignore:Glyph .* missing from font")
def test_a_hostile_name_is_drawn(name: str) -> None:
    assert reddish(pixels(bar_chart([name, name], [1.0, 0.5], name[:100], "a"))).any()


def test_the_strongest_region_is_darkest() -> None:
    importances = np.zeros((7, 7))
    importances[1, 5] = 2.0
    image = pixels(region_chart(importances, "title", "importance", "en"))
    dark = (image[..., 0] < 140) & (image[..., 1] < 20) & (image[..., 2] < 40)
    found = dark[:, : int(image.shape[1] * 0.8)]  # without the colour bar
    rows, columns = np.nonzero(found)
    height, width = image.shape[0], image.shape[1]
    assert rows.size
    assert rows.mean() / height < 0.4
    assert columns.mean() / width > 0.5


def test_a_map_without_any_attribution_is_drawn() -> None:
    assert pixels(region_chart(np.zeros((2, 3)), "t", "a", "es")).size
