"""Bars: order, lengths, sums, and names of any length."""

import pytest

from schemas.results import FeatureScore
from service.drawing.colormaps import solid
from service.drawing.feature_bars import Axis, render_bars, strongest
from tests.service.drawing.drawn import pixels

SCORES = [0.5, -2.0, 1.0, 0.0, -0.25]
FEATURES = [FeatureScore(name=f"columna {i}", value=10.0 * i, score=score) for i, score in enumerate(SCORES)]


def test_the_strongest_come_first_and_the_rest_is_summed_up() -> None:
    bars = strongest(FEATURES, 2, "es")
    assert [(bar.name, bar.score) for bar in bars] == [("columna 1", -2.0), ("columna 2", 1.0), ("3 más", 0.25)]
    assert sum(bar.score for bar in bars) == pytest.approx(sum(SCORES))
    assert bars[-1].value == ""


def test_a_single_column_is_never_summed_up() -> None:
    assert [bar.name for bar in strongest(FEATURES, 4, "en")][-1] == "columna 3"


def test_lengths_are_in_proportion_and_signs_have_their_side_and_colour() -> None:
    drawn = pixels(render_bars(FEATURES, size=700))
    red = (drawn == solid(1.0)).all(axis=-1)
    blue = (drawn == solid(-1.0)).all(axis=-1)
    red[drawn.shape[0] - 40 :] = blue[drawn.shape[0] - 40 :] = False  # the legend
    longest = sorted({int(row.sum()) for row in blue if row.any()})[-1]
    assert sorted({int(row.sum()) for row in red if row.any()}) == pytest.approx([longest / 4, longest / 2], abs=2)
    assert blue.any(axis=0).nonzero()[0].max() <= red.any(axis=0).nonzero()[0].min()


def test_labels_and_bars_stay_between_names_and_margin() -> None:
    axis = Axis.over(strongest(FEATURES, 9, "en"), 200, 680, 8, 16)
    assert axis.at(-2.0) > 200 + 8
    assert axis.at(1.0) < 680 - 8


@pytest.mark.parametrize("size", [64, 300, 720, 2048])
@pytest.mark.parametrize("scale", [0.0, 1e-300, 1.0, 1e300, -1e300])
@pytest.mark.parametrize("title", [None, "un título " * 60])
def test_any_size_scale_and_title(size: int, scale: float, title: str | None) -> None:
    features = [feature.model_copy(update={"score": feature.score * scale / 2}) for feature in FEATURES]
    first, second = (render_bars(features, title=title, size=size, lang="es") for _ in range(2))
    assert first == second
    assert pixels(first).shape[1] == size


@pytest.mark.parametrize("name", ["", "x" * 200, "a\nb\x00c", "映画", "índice de masa corporal"])
def test_any_name(name: str) -> None:
    assert pixels(render_bars([FeatureScore(name=name, value=-1.23456e-7, score=1.0)])).size


@pytest.mark.parametrize("count", [0, 1, 10_000])
@pytest.mark.parametrize("top", [1, 15, 10**9])
def test_any_number_of_columns_and_bars(count: int, top: int) -> None:
    features = [FeatureScore(name=str(i), value=i, score=i - 3.0) for i in range(count)]
    assert pixels(render_bars(features, top=top)).shape[0] < 110 * 2 * 48
