"""Attributions by part of the input."""

import numpy as np
import pytest

from attribution_client.mlflow.parts import GRID, Parts, parts_of, regions
from tests.client.mlflow.results import picture, result, row, text


def test_features_have_names_values_and_scores() -> None:
    parts = parts_of(row(age=0.5, income=-2.0))
    assert parts.kind == "feature"
    assert [parts.name(place) for place in range(2)] == ["age", "income"]
    assert parts.values == [5.0, -20.0]
    assert parts.scores.tolist() == [0.5, -2.0]


def test_words() -> None:
    parts = parts_of(text(("so", 0.25), ("good", 1.0)))
    assert parts.kind == "word"
    assert [parts.name(place) for place in range(2)] == ["so", "good"]


def test_the_regions_of_a_picture_share_all_of_its_attribution() -> None:
    pixels = np.random.default_rng(0).normal(size=(3, 224, 224))
    parts = parts_of(picture(pixels))
    assert parts.kind == "region"
    assert len(parts.scores) == GRID * GRID
    assert parts.scores.sum() == pytest.approx(pixels.astype(np.float32).sum(dtype=np.float64))
    assert parts.name(GRID + 2) == "row 2, column 3"
    assert parts.scores[GRID + 2] == pytest.approx(pixels[:, 32:64, 64:96].sum(), rel=1e-4)


@pytest.mark.parametrize("shape", [(7, 7), (1, 1), (3, 500), (10, 13), (8, 6)])
def test_regions_of_any_shape_cover_it_once(shape: tuple[int, int]) -> None:
    found = regions(np.ones(shape))
    assert found.shape == tuple(min(GRID, length) for length in shape)
    assert found.sum() == shape[0] * shape[1]
    sides = [length / count for length, count in zip(shape, found.shape, strict=True)]
    assert found.max() <= np.prod(np.ceil(sides))
    assert found.min() >= np.prod(np.floor(sides))


def test_elements_of_several_arrays_are_named_by_their_array_and_place() -> None:
    parts = parts_of(result({"a": np.arange(6.0).reshape(1, 2, 3), "b": -np.arange(2.0)[None]}))
    assert parts.kind == "element"
    assert [parts.name(place) for place in (0, 5, 7)] == ["a [0, 0]", "a [1, 2]", "b [1]"]
    assert parts.scores.tolist() == [0, 1, 2, 3, 4, 5, 0, -1]
    with pytest.raises(IndexError):
        parts.name(8)


def test_layers_of_a_picture_that_are_no_maps_are_elements() -> None:
    seen = {"crop": [0.0, 0.0, 8.0, 8.0], "width": 8, "height": 8}
    assert parts_of(result({"fc": np.ones((1, 5))}, picture=seen)).kind == "element"


def test_the_strongest_stay_in_the_order_of_the_input() -> None:
    parts = Parts("element", np.array([1.0, -3.0, 0.5, 2.0]), shapes=(("x", (4,)),))
    assert parts.strongest(2) == [1, 3]
    assert parts.strongest(9) == [0, 1, 2, 3]


def test_another_example_of_a_result() -> None:
    both = result({"x": np.array([[1.0, 2.0], [3.0, 4.0]])})
    assert parts_of(both, 1).scores.tolist() == [3.0, 4.0]
