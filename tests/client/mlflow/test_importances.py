"""Mean absolute attributions over examples."""

import numpy as np
import pytest

from attribution_client.mlflow.importances import Importances
from attribution_client.mlflow.parts import parts_of
from tests.client.mlflow.results import picture, result, row, text


def test_features_are_averaged_in_size_and_sorted() -> None:
    importances = Importances()
    for one in (row(age=1.0, income=-4.0), row(age=-3.0, income=2.0)):
        importances.add(parts_of(one))
    found = importances.strongest(10)
    assert [(one.name, one.mean_absolute, one.count) for one in found] == [("income", 3.0, 2), ("age", 2.0, 2)]
    assert [one.name for one in importances.strongest(1)] == ["income"]
    assert importances.region_map() is None


def test_a_word_is_the_same_wherever_it_stands() -> None:
    importances = Importances()
    importances.add(parts_of(text(("Good", 1.0), ("and", 0.0), ("good", -2.0))))
    importances.add(parts_of(text(("GOOD", 3.0))))
    found = {one.name: (one.mean_absolute, one.count) for one in importances.strongest(10)}
    assert found == {"good": (2.0, 3), "and": (0.0, 1)}


def test_regions_make_a_map() -> None:
    importances = Importances()
    pixels = np.random.default_rng(0).normal(size=(2, 3, 14, 14)).astype(np.float32)
    for one in pixels:
        importances.add(parts_of(picture(one)))
    expected = np.abs(pixels.sum(axis=1).reshape(2, 7, 2, 7, 2).sum(axis=(2, 4), dtype=np.float64)).mean(axis=0)
    found = importances.region_map()
    assert found is not None
    assert found == pytest.approx(expected, rel=1e-5)
    best = importances.strongest(1)[0]
    top = np.unravel_index(expected.argmax(), expected.shape)
    assert best.name == f"row {top[0] + 1}, column {top[1] + 1}"
    assert best.mean_absolute == pytest.approx(expected.max(), rel=1e-5)


def test_inputs_of_other_shapes_are_parts_of_their_own() -> None:
    importances = Importances()
    importances.add(parts_of(result({"x": np.array([[2.0, 1.0]])})))
    importances.add(parts_of(result({"x": np.array([[-4.0, 1.0]])})))
    importances.add(parts_of(result({"x": np.array([[9.0]])})))
    found = [(one.name, one.mean_absolute, one.count) for one in importances.strongest(10)]
    assert found == [("[0]", 9.0, 1), ("[0]", 3.0, 2), ("[1]", 1.0, 2)]


def test_pictures_with_other_grids_make_no_map() -> None:
    importances = Importances()
    importances.add(parts_of(picture(np.ones((1, 7, 7)))))
    importances.add(parts_of(picture(np.ones((1, 2, 2)))))
    assert importances.region_map() is None
