"""Colours of strengths and scores."""

import numpy as np
import pytest

from service.drawing.colormaps import DEFAULTS, paint, solid, table, tint


def test_the_ends_of_the_map() -> None:
    strength = np.array([[0.0, 1.0]], dtype=np.float32)
    drawn = paint(strength, "positive", "inferno")
    assert drawn.shape == (1, 2, 3)
    assert drawn[0].tolist() == table("inferno")[[0, 255]].tolist()


def test_a_diverging_map_uses_the_half_of_the_sign() -> None:
    strength = np.array([[0.0, 1.0]], dtype=np.float32)
    colors = table("bwr").tolist()
    assert paint(strength, "positive", "bwr")[0, 1].tolist() == colors[255]
    assert paint(strength, "negative", "bwr")[0, 1].tolist() == colors[0]
    assert paint(strength - 1, "all", "bwr")[0, 0].tolist() == colors[0]


@pytest.mark.parametrize("sign", DEFAULTS)
def test_every_sign_has_a_default(sign: str) -> None:
    strength = np.zeros((1, 1), dtype=np.float32)
    assert np.array_equal(paint(strength, sign, None), paint(strength, sign, DEFAULTS[sign]))  # type: ignore[arg-type, index]  # the keys are signs


def test_tints_are_red_above_zero_and_blue_below() -> None:
    red, _, blue = tint(1.0)
    assert red > blue
    assert tint(5.0) == tint(1.0)
    assert tint(-1.0)[2] > tint(-1.0)[0]
    assert min(tint(0.0)) > 240
    assert solid(0.1)[0] > solid(0.1)[2]
    assert solid(-0.1)[2] > solid(-0.1)[0]


def test_tables_are_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        table("inferno")[0] = 0
