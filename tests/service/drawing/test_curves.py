"""Deletion and insertion curves: sizes, colours and areas of the drawing."""

import numpy as np
import pytest

from schemas.metrics import Curve, Curves, DeletionInsertionMetric
from service.drawing.colormaps import solid
from service.drawing.curves import render_curves
from tests.service.drawing.drawn import pixels


def metric(deletion: list[float], insertion: list[float]) -> DeletionInsertionMetric:
    curves = Curves(deletion=Curve(values=deletion, auc=0.25), insertion=Curve(values=insertion, auc=0.75))
    return DeletionInsertionMetric(
        unit="columns",
        units=2,
        value="probability",
        deletion_baseline="zero",
        insertion_baseline="zero",
        fractions=[0.0, 0.5, 1.0],
        examples=[curves],
    )


@pytest.mark.parametrize("size", [64, 400, 720])
def test_the_width_is_the_size(size: int) -> None:
    drawn = pixels(render_curves(metric([1, 0.5, 0], [0, 0.5, 1]), 0, target="cat", size=size))
    assert drawn.shape[1] == size


def test_both_curves_have_their_colours() -> None:
    drawn = pixels(render_curves(metric([0.1, 0.1, 0.1], [0.9, 0.9, 0.9]), 0, target="cat"))
    rows = {sign: np.nonzero((drawn == solid(sign)).all(axis=2).sum(axis=1) > 300)[0] for sign in (1.0, -1.0)}
    assert rows[-1.0].size
    assert rows[1.0].size
    assert rows[1.0].max() < rows[-1.0].min()  # insertion stays at 0.9, deletion at 0.1


def test_notes_make_the_picture_taller() -> None:
    one = metric([1, 0.5, 0], [0, 0.5, 1])
    plain, noted = (pixels(render_curves(one, 0, target="", notes=notes)) for notes in ((), ("a note", "another")))
    assert noted.shape[0] > plain.shape[0]


@pytest.mark.parametrize("values", [[0.0, 0.0, 0.0], [-3.5, 1e-9, 2e6], [1.0, 1.0, 1.0]])
def test_values_of_any_range_are_drawn(values: list[float]) -> None:
    one = metric(values, values[::-1]).model_copy(update={"value": "output"})
    assert pixels(render_curves(one, 0, target="cat", title="t" * 500, lang="es")).ndim == 3
