"""A large drawing is drawn band by band. It shows what a drawing in one piece shows, and takes far less memory."""

import subprocess
import sys
from typing import get_args

import numpy as np
import pytest

from service.drawing import image_overlay, view
from service.drawing.heatmap import heat_map
from service.drawing.image_overlay import render_overlay
from service.drawing.overlay_options import OverlayOptions, Sign, Style
from service.drawing.view import View, view_of
from tests.paths import ROOT
from tests.service.drawing.drawn import photograph, pixels

NOISE = np.random.default_rng(0).normal(size=(1, 3, 37, 53))
SIZES = [(64, 64), (211, 97), (97, 211), (16, 240), (500, 31)]


@pytest.mark.parametrize("sign", get_args(Sign))
@pytest.mark.parametrize("size", SIZES)
def test_the_rows_of_a_map_are_those_of_the_whole(sign: Sign, size: tuple[int, int]) -> None:
    heat = heat_map(NOISE, OverlayOptions(sign=sign, smooth=0.0), size)
    bands = [heat.rows(slice(top, min(size[1], top + 7))) for top in range(0, size[1], 7)]
    assert {band.dtype for band in bands} == {np.dtype(np.float32)}
    np.testing.assert_allclose(np.concatenate(bands), heat.strength, atol=1e-4)


@pytest.mark.parametrize("seen", [(53, 37), (8, 60), (300, 280)])
@pytest.mark.parametrize("size", SIZES)
def test_the_rows_of_a_view_are_those_of_the_whole(
    monkeypatch: pytest.MonkeyPatch, seen: tuple[int, int], size: tuple[int, int]
) -> None:
    monkeypatch.setattr(view, "DRAWN_PIXELS", 100)
    picture = photograph(*seen)
    shown = View(picture, size)
    bands = [shown.rows(slice(top, min(size[1], top + 7))) for top in range(0, size[1], 7)]
    whole = np.asarray(view_of(picture, size)).astype(int)
    assert np.abs(np.concatenate(bands) - whole).max() <= 1


@pytest.mark.parametrize("style", get_args(Style))
def test_a_drawing_in_bands_is_the_drawing_in_one_piece(monkeypatch: pytest.MonkeyPatch, style: Style) -> None:
    options = OverlayOptions(style=style, size=400, sign="all", smooth=0.0)
    whole = pixels(render_overlay(photograph(53, 37), NOISE, options)).astype(int)
    for module in (image_overlay, view):
        monkeypatch.setattr(module, "DRAWN_PIXELS", 5_000)
    bands = pixels(render_overlay(photograph(53, 37), NOISE, options)).astype(int)
    difference = np.abs(bands - whole)
    assert difference.max() <= 8  # a strength that is rounded to the next of 256 colours
    assert (difference > 2).mean() < 0.02


MEASURED = """
import re
import numpy as np
from PIL import Image
from pathlib import Path
from service.drawing.image_overlay import render_overlay
from service.drawing.overlay_options import OverlayOptions

def peak_mib():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024

maps = np.random.default_rng(0).normal(size=(3, 224, 224))
picture = Image.new("RGB", (224, 224), "green")
render_overlay(picture, maps, OverlayOptions(size=64))
before = peak_mib()
render_overlay(picture, maps, OverlayOptions(size=4096))
print(peak_mib() - before)
"""


def test_the_largest_drawing_takes_little_more_than_its_canvas() -> None:
    command = [sys.executable, "-c", MEASURED]
    rise_mib = float(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    assert rise_mib <= 130  # 66 of the canvas with caption, 24 of the file, and a strip
