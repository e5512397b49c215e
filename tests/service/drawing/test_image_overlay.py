"""Drawings: every option, sizes, and that heat lies where it belongs."""

from concurrent.futures import ThreadPoolExecutor
from typing import get_args

import numpy as np
import pytest
from PIL import Image

from service.drawing.colormaps import SOURCES
from service.drawing.image_overlay import MASKED_FLOOR, render_overlay
from service.drawing.overlay_options import OverlayOptions, Sign, Style
from tests.service.drawing.drawn import centroid, delta, photograph, pixels

NOISE = np.random.default_rng(0).normal(size=(1, 3, 28, 28))


@pytest.mark.parametrize("sign", get_args(Sign))
@pytest.mark.parametrize("style", get_args(Style))
def test_every_colormap_draws_the_size_asked_for(style: Style, sign: Sign) -> None:
    view = photograph(90, 60)
    drawn = set()
    for colormap in (None, *SOURCES):
        png = render_overlay(view, NOISE, OverlayOptions(style=style, sign=sign, colormap=colormap, size=96))
        drawn.add(png)
        height, width, _ = pixels(png).shape
        assert width > 3 * 96 if style == "side_by_side" else width == 96
        assert height == 64 if style == "masked" else height > 64  # a colour bar below, and names above several panels
    assert len(drawn) == (1 if style == "masked" else len(SOURCES))  # None is one of them


@pytest.mark.parametrize("style", get_args(Style))
@pytest.mark.parametrize("size", [64, 4096])
@pytest.mark.parametrize("region", [(300, 200), (9, 400), (8, 8), (4000, 8)])
def test_no_size_and_no_proportion_is_too_much(style: Style, size: int, region: tuple[int, int]) -> None:
    options = OverlayOptions(style=style, size=size, sign="all")
    height, width, _ = pixels(render_overlay(photograph(*region), NOISE[:, :, :7, :7], options, lang="es")).shape
    assert max(width, height) >= size // 2
    assert width * height < 20_000_000


def test_heat_lies_on_its_pixel_and_the_rest_of_the_picture_keeps_its_colours() -> None:
    view = photograph(200, 100)
    options = OverlayOptions(size=400, smooth=0.0, sign="positive", caption=False)
    drawn = pixels(render_overlay(view, delta(50, 100, 10, 80), options)).astype(int)
    plain = np.asarray(view.resize((400, 200), Image.Resampling.BICUBIC, reducing_gap=3.0)).astype(int)
    changed = np.abs(drawn - plain).sum(axis=-1)
    x, y = centroid(changed.astype(float))
    assert (x, y) == pytest.approx((80.5 * 4, 10.5 * 4), abs=1.0)
    assert changed[:30].sum() + changed[54:].sum() + changed[:, :308].sum() + changed[:, 336:].sum() == 0


def test_the_three_panels_show_the_same_place() -> None:
    view = photograph(100, 100)
    options = OverlayOptions(style="side_by_side", size=200, smooth=0.0, sign="positive", colormap="gray")
    hot = pixels(render_overlay(view, delta(10, 10, 2, 7), options)).astype(int)
    cold = pixels(render_overlay(view, delta(10, 10, 2, 7) * 0, options)).astype(int)
    changed = np.abs(hot - cold).sum(axis=-1).astype(float)
    gap, top = 11, 22  # of letters of 11 pixels
    panels = [changed[top : top + 200, gap + i * (200 + gap) :][:, :200] for i in range(3)]
    assert panels[0].sum() == 0
    for panel in panels[1:]:
        assert centroid(panel) == pytest.approx((150.0, 50.0), abs=1.5)


def test_masked_keeps_the_hot_and_darkens_the_cold() -> None:
    view = photograph(64, 64)
    attribution = np.zeros((1, 1, 64, 64))
    attribution[..., 32:] = -5.0
    drawn = pixels(render_overlay(view, attribution, OverlayOptions(style="masked", size=64, smooth=0.0)))
    assert np.array_equal(drawn[:, 36:], np.asarray(view)[:, 36:])
    assert drawn[:, :28] == pytest.approx(np.asarray(view)[:, :28] * MASKED_FLOOR, abs=1.0)


def test_signs_have_their_colours() -> None:
    attribution = np.zeros((1, 1, 64, 64))
    attribution[:, :, :20], attribution[:, :, 44:] = 2.0, -2.0
    drawn = pixels(render_overlay(photograph(64, 64), attribution, OverlayOptions(size=64, sign="all"))).astype(int)
    assert (drawn[5, :, 0] - drawn[5, :, 2]).min() > 80  # red speaks for the target
    assert (drawn[60, :, 2] - drawn[60, :, 0]).min() > 80  # blue against it


@pytest.mark.parametrize("sign", ["positive", "negative"])
def test_one_sign_uses_its_half_of_a_diverging_colormap(sign: Sign) -> None:
    attribution = np.full((1, 1, 8, 8), 1.0 if sign == "positive" else -1.0)
    one, both = (
        pixels(render_overlay(None, attribution, OverlayOptions(sign=chosen, colormap="bwr", size=64)))[:64]
        for chosen in (sign, "all")
    )
    assert np.array_equal(one, both)


def test_alpha_zero_leaves_the_picture() -> None:
    drawn = pixels(render_overlay(photograph(64, 64), NOISE, OverlayOptions(alpha=0.0, size=64, caption=False)))
    assert np.array_equal(drawn, np.asarray(photograph(64, 64)))


@pytest.mark.parametrize("style", get_args(Style))
def test_without_a_photograph_the_map_is_drawn_alone(style: Style) -> None:
    png = render_overlay(None, NOISE[:, :, :14], OverlayOptions(style=style, size=128))
    assert png == render_overlay(None, NOISE[:, :, :14], OverlayOptions(style="heatmap", size=128))
    assert pixels(png).shape[:2] > (64, 128)


@pytest.mark.parametrize("style", get_args(Style))
def test_the_same_arguments_give_the_same_bytes(style: Style) -> None:
    first, second = (render_overlay(photograph(80, 60), NOISE, OverlayOptions(style=style)) for _ in range(2))
    assert first == second


def test_threads_draw_the_same() -> None:
    options = OverlayOptions(style="side_by_side", size=100)
    with ThreadPoolExecutor(8) as pool:
        drawn = list(pool.map(lambda _: render_overlay(photograph(80, 60), NOISE, options), range(64)))
    assert len(set(drawn)) == 1


def test_captions_follow_the_language() -> None:
    options = OverlayOptions(style="side_by_side")
    english, spanish = (render_overlay(photograph(80, 60), NOISE, options, lang=lang) for lang in ("en", "es"))
    assert english != spanish


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK"])
def test_any_mode_of_picture(mode: str) -> None:
    options = OverlayOptions(size=64, caption=False)
    assert pixels(render_overlay(photograph(80, 60).convert(mode), NOISE, options)).shape == (48, 64, 3)


@pytest.mark.parametrize("value", [0.0, 1e-45, 1e38])
@pytest.mark.parametrize("style", get_args(Style))
def test_edges_are_drawn(value: float, style: Style) -> None:
    attribution = np.full((1, 3, 4, 4), value, dtype=np.float32)
    assert pixels(render_overlay(photograph(64, 64), attribution, OverlayOptions(style=style, size=64))).size


def test_stretched_pixels_are_drawn_in_the_proportions_of_the_picture() -> None:
    seen = photograph(300, 200).resize((32, 32))
    options = OverlayOptions(size=96, style="blend", alpha=0.0, caption=False)
    drawn = pixels(render_overlay(seen, np.ones((1, 3, 32, 32)), options, proportions=(300.0, 200.0)))
    assert drawn.shape == (64, 96, 3)
    expected = np.asarray(seen.resize((96, 64), Image.Resampling.BICUBIC), int)
    assert np.abs(drawn.astype(int) - expected).max() <= 1
