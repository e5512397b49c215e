"""From tensors to strengths: place, sign, scale, and numbers at the edges."""

import numpy as np
import pytest
from numpy.typing import NDArray

from service.drawing.heatmap import HeatMap, heat_map, map_size
from service.drawing.overlay_options import OverlayOptions, Sign
from tests.service.drawing.drawn import centroid, delta

RAW = OverlayOptions(smooth=0.0, percentile=100.0)


def draw(attribution: NDArray[np.generic], size: tuple[int, int] = (64, 64), **options: object) -> HeatMap:
    return heat_map(attribution, OverlayOptions.model_validate({**RAW.model_dump(), **options}), size)


@pytest.mark.parametrize(("row", "column"), [(0, 0), (31, 0), (5, 20), (16, 16), (31, 31)])
def test_one_pixel_lights_its_own_place(row: int, column: int) -> None:
    strength = draw(delta(32, 32, row, column), (512, 512)).strength
    brightest = divmod(int(strength.argmax()), 512)
    assert (brightest[0] // 16, brightest[1] // 16) == (row, column)
    far = strength.copy()  # the bicubic kernel reaches two elements
    far[max(0, 16 * row - 24) : 16 * row + 40, max(0, 16 * column - 24) : 16 * column + 40] = 0
    assert far.max() == 0


@pytest.mark.parametrize(("row", "column"), [(3, 3), (2, 4), (4, 2)])
@pytest.mark.parametrize("size", [(512, 340), (500, 500), (341, 512)])
@pytest.mark.parametrize("smooth", [0.0, 0.015])
def test_a_hot_cell_of_a_coarse_map_is_centred(row: int, column: int, size: tuple[int, int], smooth: float) -> None:
    layer = np.zeros((1, 1, 7, 7))
    layer[0, 0, row, column] = 3.0
    x, y = centroid(draw(layer, size, smooth=smooth).strength)
    assert x == pytest.approx((column + 0.5) * size[0] / 7, abs=0.1)
    assert y == pytest.approx((row + 0.5) * size[1] / 7, abs=0.1)


def test_smoothing_is_round_in_the_drawing_though_the_map_is_stretched() -> None:
    strength = draw(delta(200, 200, 100, 100), (600, 300), smooth=0.03).strength.astype(float)
    down, across = np.mgrid[0:300, 0:600]
    x, y = centroid(strength)
    spread = [
        np.sqrt((strength * (at + 0.5 - mean) ** 2).sum() / strength.sum()) for at, mean in ((across, x), (down, y))
    ]
    assert spread == pytest.approx([18.0, 18.0], rel=0.02)  # 0.03 of 600 pixels


def test_smoothing_keeps_a_constant_map_constant() -> None:
    assert draw(np.full((3, 20, 30), -2.0), smooth=0.05, sign="all").strength == pytest.approx(-1.0)


def test_channels_are_summed_before_the_sign_is_selected() -> None:
    attribution = np.zeros((3, 4, 4))
    attribution[:, 0, 0] = (3.0, -1.0, -1.0)  # sum 1
    attribution[:, 3, 3] = (-2.0, 0.0, -2.0)  # sum -4
    size = (4, 4)
    assert draw(attribution, size).strength[[0, 3], [0, 3]] == pytest.approx([0.25, 1.0])
    assert draw(attribution, size, sign="all").strength[[0, 3], [0, 3]] == pytest.approx([0.25, -1.0])
    positive, negative = draw(attribution, size, sign="positive"), draw(attribution, size, sign="negative")
    assert positive.strength[[0, 3], [0, 3]] == pytest.approx([1.0, 0.0])
    assert negative.strength[[0, 3], [0, 3]] == pytest.approx([0.0, 1.0])
    assert (positive.limit, negative.limit) == pytest.approx((1.0, 4.0))


def test_positive_and_negative_are_the_halves_of_all() -> None:
    attribution = np.random.default_rng(0).normal(size=(1, 3, 40, 40))
    both, positive, negative = (
        draw(attribution, (40, 40), sign=sign, smooth=0.02, limit=1.0).strength
        for sign in ("all", "positive", "negative")
    )
    assert positive - negative == pytest.approx(both, abs=1e-6)


def test_a_percentile_keeps_one_outlier_from_darkening_the_rest() -> None:
    attribution = np.ones((1, 1, 100, 100))
    attribution[0, 0, 50, 50] = 1000.0
    heat = draw(attribution, (100, 100), percentile=99.0)
    assert heat.limit == pytest.approx(1.0)
    assert heat.scale.clipped_high
    assert heat.strength.min() == pytest.approx(1.0)
    assert not draw(attribution, (100, 100)).scale.clipped_high


def test_few_elements_among_zeros_are_still_seen() -> None:
    heat = draw(delta(100, 100, 40, 60, -2.0), (100, 100), percentile=99.0)
    assert heat.limit == pytest.approx(6.0)
    assert heat.strength[40, 60] == pytest.approx(1.0)


def test_maps_drawn_with_one_limit_are_comparable() -> None:
    attribution = np.random.default_rng(1).uniform(0, 1, size=(1, 1, 16, 16))
    half = draw(attribution / 2, (16, 16), limit=1.0)
    assert draw(attribution, (16, 16), limit=1.0).strength == pytest.approx(2 * half.strength, abs=1e-6)
    assert half.limit == 1.0
    assert draw(attribution, (16, 16)).strength == pytest.approx(draw(attribution / 2, (16, 16)).strength)


EDGES = {
    "zeros": np.zeros((1, 3, 8, 8)),
    "one element": np.ones((1, 1, 1, 1)),
    "one row": np.linspace(-1, 1, 30).reshape(1, 1, 1, 30),
    "constant": np.full((3, 5, 5), 7.0),
    "all positive": np.random.default_rng(2).uniform(1, 2, (1, 3, 9, 9)),
    "all negative": -np.random.default_rng(2).uniform(1, 2, (1, 3, 9, 9)),
    "float64 near overflow": np.full((1, 3, 4, 4), 1.7e308) * np.array([1, 1, -1]).reshape(1, 3, 1, 1),
    "sum overflows": np.full((1, 3, 4, 4), 1.7e308),
    "smallest float32": np.full((1, 3, 4, 4), 1e-45, dtype=np.float32),
    "smallest float64": delta(4, 4, 1, 1).astype(np.float64) * 5e-324,
    "float16": np.random.default_rng(3).normal(size=(1, 3, 8, 8)).astype(np.float16),
    "integers": np.arange(48).reshape(3, 4, 4),
    "two dimensions": np.eye(6),
    "transposed": np.random.default_rng(4).normal(size=(8, 6, 3)).transpose(2, 1, 0),
    "larger than any drawing": np.random.default_rng(5).normal(size=(1, 1, 3, 5000)),
}


@pytest.mark.parametrize("sign", ["absolute", "positive", "negative", "all"])
@pytest.mark.parametrize("name", EDGES)
@pytest.mark.parametrize("limit", [None, 1e-30, 1e30])
def test_every_finite_map_has_strengths_in_range(name: str, sign: Sign, limit: float | None) -> None:
    heat = heat_map(EDGES[name], OverlayOptions(sign=sign, limit=limit), (40, 30))
    assert heat.strength.shape == (30, 40)
    assert heat.strength.dtype == np.float32
    assert heat.strength.min() >= (-1 if sign == "all" else 0)
    assert heat.strength.max() <= 1
    assert np.isfinite(heat.limit)
    assert heat.limit > 0 or name == "zeros"


def test_a_map_of_one_sign_is_empty_for_the_other() -> None:
    assert draw(EDGES["all positive"], sign="negative").strength.max() == 0
    assert draw(EDGES["all negative"], sign="positive").strength.max() == 0


@pytest.mark.parametrize("shape", [(5,), (2, 3, 8, 8), (1, 1, 3, 8, 8), (1, 3, 0, 8), (0, 8, 8)])
def test_what_is_not_one_map_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="not a map of one picture"):
        heat_map(np.zeros(shape), RAW, (64, 64))
    with pytest.raises(ValueError, match="not a map of one picture"):
        map_size(np.zeros(shape))
