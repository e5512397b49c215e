"""The animation of a path: how many frames, what is in them, and that nothing is clipped."""

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from schemas.results import PathPoints
from service.drawing.overlay_options import OverlayOptions
from service.drawing.path_animation import render_path
from service.tuning import LAST_FRAME_MS, MAX_ANIMATION_PIXELS
from tests.service.drawing.drawn import photograph

BLACK = np.zeros((60, 80, 3), dtype=np.uint8)
PICTURE = np.asarray(photograph(80, 60))
CAPTION = [["Egyptian cat", "score 0.774", "a-model"], ["Integrated Gradients", "completeness error 0.2 %"]]


def points(count: int, **changed: object) -> PathPoints:
    at = [(k + 0.5) / count for k in range(count)]
    covered = [(k + 1) / count for k in range(count)]
    values = {
        "alphas": at,
        "outputs": [4 * a**2 - 1 for a in at],
        "covered": covered,
        "sums": [4 * a**2 for a in covered],
        "input_output": 3.0,
        "baseline_output": -1.0,
    }
    return PathPoints.model_validate({**values, **changed})


def maps(count: int) -> NDArray[np.float32]:
    """(points, 3, 60, 80), growing to the right."""
    whole = np.tile(np.linspace(0, 1, 80, dtype=np.float32), (3, 60, 1))
    return np.stack([whole * (k + 1) / count for k in range(count)])


def frames(webp: bytes) -> list[NDArray[np.int64]]:
    with Image.open(io.BytesIO(webp), formats=("WEBP",)) as image:
        found = []
        for index in range(getattr(image, "n_frames", 1)):
            image.seek(index)
            found.append(np.asarray(image.convert("RGB")).astype(int))
        return found


def test_the_picture_lights_up_and_the_map_fills() -> None:
    options = OverlayOptions(size=128, smooth=0.0, percentile=100, colormap="gray")
    drawn = frames(render_path((BLACK, PICTURE), maps(4), points(4), options, frame_ms=100, target="cat"))
    assert len(drawn) == 5  # the baseline, and four points
    height, width = 96, 128
    top, left = 2 * 11, (320 - 2 * width - 11) // 2
    lit = [frame[top : top + height, left : left + width].mean() for frame in drawn]
    filled = [frame[top : top + height, left + width + 11 : left + 2 * width + 11].mean() for frame in drawn]
    assert lit[0] < 3
    assert filled[0] < 3
    assert np.diff(lit).min() > 5
    assert np.diff(filled) == pytest.approx([31.9] * 4, abs=4.0)  # of 127.5 in the end, on one scale
    assert lit[-1] == pytest.approx(0.875 * PICTURE.mean(), abs=4.0)


def test_the_last_frame_stays_longer() -> None:
    webp = render_path((BLACK, PICTURE), maps(3), points(3), OverlayOptions(size=64), frame_ms=150, target="")
    with Image.open(io.BytesIO(webp)) as image:
        times = []
        for index in range(4):
            image.seek(index)
            image.load()
            times.append(image.info["duration"])
        assert times == [150, 150, 150, LAST_FRAME_MS]
        assert image.info["loop"] == 0


@pytest.mark.parametrize("size", [64, MAX_ANIMATION_PIXELS])
@pytest.mark.parametrize("region", [(300, 200), (20, 400), (400, 20)])
def test_words_are_not_clipped(size: int, region: tuple[int, int]) -> None:
    options = OverlayOptions(size=size, sign="all")
    for lang in ("en", "es"):
        found = frames(
            render_path(
                (BLACK, PICTURE),
                maps(2),
                points(2),
                options,
                frame_ms=100,
                target="a very long name of a class " * 4,
                lang=lang,
                proportions=region,
                caption=CAPTION,
            )
        )
        for frame in found:
            assert (frame[-2:] > 240).all()  # white margins
            assert (frame[:, -3:] > 240).all()
            assert (frame[:, :3] > 240).all()


def test_a_tensor_is_animated_without_a_picture() -> None:
    alone = frames(render_path(None, maps(2), points(2), OverlayOptions(size=128), frame_ms=100, target=""))
    both = frames(render_path((BLACK, PICTURE), maps(2), points(2), OverlayOptions(size=256), frame_ms=100, target=""))
    assert alone[0].shape[1] == 320
    assert both[0].shape[1] > 2 * 256


@pytest.mark.parametrize(
    "changed",
    [
        {"baseline_output": None},
        {"outputs": [0.0, 0.0], "sums": [0.0, 0.0], "baseline_output": 0.0, "input_output": 0.0},
        {"outputs": [1e30, -1e30], "sums": [1e30, -2e30]},
        {"outputs": [5.0, 5.0 + 1e-9], "sums": [0.0, 1e-9], "baseline_output": 5.0, "input_output": 5.0},
    ],
)
def test_edges_are_drawn(changed: dict[str, object]) -> None:
    options = OverlayOptions(size=64)
    for given in (maps(2), maps(2) * 0):
        webp = render_path((BLACK, PICTURE), given, points(2, **changed), options, frame_ms=50, target="")
        assert len(frames(webp)) >= 1


def test_the_same_arguments_give_the_same_bytes() -> None:
    first, second = (
        render_path((BLACK, PICTURE), maps(2), points(2), OverlayOptions(size=64), frame_ms=50, target="")
        for _ in range(2)
    )
    assert first == second
