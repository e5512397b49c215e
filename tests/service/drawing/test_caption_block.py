"""Captions below drawings: what they say, and that they are as wide as the drawing."""

import numpy as np
import pytest
from PIL import ImageDraw

from service.drawing import typeface
from service.drawing.caption_block import CaptionBlock, broken, drawing_notes
from service.drawing.image_overlay import render_overlay
from service.drawing.overlay_options import OverlayOptions, Style
from tests.service.drawing.drawn import photograph, pixels

CAPTION = [["Egyptian cat", "score 0.774", "a-model"], ["Integrated Gradients", "completeness error 0.2 %"]]
MAP = np.random.default_rng(0).normal(size=(1, 3, 28, 28))


def test_lines_are_broken_between_their_parts() -> None:
    assert broken(CAPTION[0], 16, 2000) == ["Egyptian cat · score 0.774 · a-model"]
    assert broken(CAPTION[0], 16, 200) == ["Egyptian cat · score 0.774", "a-model"]
    assert broken(["", "one", ""], 16, 200) == ["one"]
    assert broken([], 16, 200) == []


@pytest.mark.parametrize("room", [20, 60, 128, 500])
def test_no_line_is_wider_than_its_room(room: int) -> None:
    lines = broken(["W" * 400, "\n\u202e<b>", "ok", "Ünïcödé " * 30], 16, room)
    assert lines
    assert all(typeface.width(line, 16) <= room for line in lines)


@pytest.mark.parametrize(
    ("options", "english", "spanish"),
    [
        ({"smooth": 0.0}, ["no smoothing", "full colour from percentile 99"], "sin suavizado"),
        ({}, ["smoothed over 1.5 % of the side", "full colour from percentile 99"], "suavizado en el 1,5 % del lado"),
        ({"percentile": 95, "smooth": 0.1}, ["smoothed over 10 % of the side", "full colour from percentile 95"], ""),
        ({"limit": 0.25, "smooth": 0.0}, ["no smoothing", "full colour from 0.25"], ""),
        (
            {"style": "masked", "sign": "positive", "smooth": 0.0},
            ["attribution > 0", "no smoothing", "full light from percentile 99"],
            "",
        ),
    ],
)
def test_the_notes_say_how_the_map_was_drawn(options: dict[str, object], english: list[str], spanish: str) -> None:
    chosen = OverlayOptions.model_validate(options)
    assert drawing_notes(chosen, "en") == english
    assert not spanish or spanish in drawing_notes(chosen, "es")


@pytest.mark.parametrize("style", ["blend", "heatmap", "masked", "side_by_side"])
@pytest.mark.parametrize("region", [(300, 200), (20, 400), (400, 20)])
def test_captions_are_not_clipped(style: Style, region: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[CaptionBlock, tuple[int, int]]] = []
    draw = CaptionBlock.draw

    def recorded(block: CaptionBlock, on: ImageDraw.ImageDraw, corner: tuple[int, int]) -> None:
        drawn.append((block, corner))
        draw(block, on, corner)

    monkeypatch.setattr(CaptionBlock, "draw", recorded)
    png = render_overlay(photograph(*region), MAP, OverlayOptions(style=style, size=300), caption=CAPTION)
    height, width, _ = pixels(png).shape
    [(block, (left, top))] = drawn
    assert len(block.lines) >= 3
    assert max(left + typeface.width(line, block.text) for line in block.lines) <= width
    assert top + block.height <= height
    assert np.asarray(pixels(png)[top:]).min() < 100  # letters are there
    assert (pixels(png)[-3:] == 255).all()  # with white below


def test_a_thumbnail_has_no_caption() -> None:
    small = OverlayOptions(size=96)
    plain, told = (render_overlay(photograph(96, 64), MAP, small, caption=caption) for caption in ((), CAPTION))
    assert plain == told


def test_the_middle_of_a_signed_scale_is_zero() -> None:
    attribution = np.linspace(-1, 3, 28 * 28).reshape(1, 1, 28, 28)  # more above zero than below it
    options = OverlayOptions(style="heatmap", sign="all", size=400, percentile=100)
    drawn = pixels(render_overlay(None, attribution, options)).astype(int)
    bar = drawn[400 + 6 + 3]  # a row of pixels within the bar, below the map
    inner = bar[20:380]
    assert inner[0, 2] - inner[0, 0] > 150  # blue at the left
    assert inner[-1, 0] - inner[-1, 2] > 150  # red at the right
    same = np.abs(inner[:, 0] - inner[::-1, 2]) <= 2  # as far from zero on both sides
    assert same[:178].all()  # but for the mark at zero
    assert same[182:].all()
    zero = attribution[0, 0].ravel().searchsorted(0.0) // 28
    row = drawn[round((zero + 0.5) * 400 / 28), 200]
    assert row.min() > 200  # no attribution is white


def test_a_bare_drawing_is_the_map_alone() -> None:
    view = photograph(80, 60)
    bare = pixels(render_overlay(view, MAP, OverlayOptions(size=80, caption=False), caption=CAPTION))
    assert bare.shape == (60, 80, 3)
    assert pixels(render_overlay(view, MAP, OverlayOptions(size=80, caption=False, style="side_by_side"))).shape == (
        60,
        240,
        3,
    )


def test_weak_attribution_does_not_veil_the_picture() -> None:
    view = photograph(64, 64)
    attribution = np.full((1, 1, 64, 64), 0.1)
    attribution[..., 63, 63] = 1.0
    options = OverlayOptions(size=64, smooth=0.0, percentile=100, caption=False)
    drawn = pixels(render_overlay(view, attribution, options)).astype(int)
    assert np.abs(drawn - np.asarray(view.convert("RGB")))[:60, :60].max() <= 4
