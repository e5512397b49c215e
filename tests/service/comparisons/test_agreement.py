"""The figures of agreement: against scipy, at ties and zeros, and of maps of different sizes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.stats import spearmanr

from schemas.comparisons import Agreement
from service.comparisons.agreement import agreements
from service.comparisons.comparable import Comparable

Row = NDArray[np.float64]
ROWS = arrays(np.float64, 40, elements=st.integers(-5, 5).map(float))  # with many ties and zeros


def compared(*rows: Row, kind: object = "words") -> list[Agreement]:
    return agreements([Comparable(kind, row[None]) for row in rows])


@given(ROWS, ROWS)
def test_the_rank_correlation_is_that_of_scipy(first: Row, second: Row) -> None:
    (found,) = compared(first, second)
    if len(set(np.abs(first))) == 1 or len(set(np.abs(second))) == 1:
        assert found.spearman is None, "a constant map has no ranks"
    else:
        assert found.spearman == pytest.approx(float(spearmanr(np.abs(first), np.abs(second)).statistic), abs=1e-9)


@given(ROWS, ROWS)
def test_no_figure_depends_on_the_order_of_elements_or_cells(first: Row, second: Row) -> None:
    order = np.random.default_rng(7).permutation(len(first))
    (found,) = compared(first, second)
    for one, other in ((first[order], second[order]), (second, first)):
        (again,) = compared(one, other)
        for name in ("spearman", "strongest_tenth", "signs"):
            assert getattr(again, name) == pytest.approx(getattr(found, name), abs=1e-9)


@given(ROWS, st.floats(1e-3, 1e3))
def test_a_map_agrees_with_itself_in_another_unit(row: Row, unit: float) -> None:
    (found,) = compared(row, unit * row)
    assert found.spearman is None or found.spearman == pytest.approx(1)
    assert found.strongest_tenth is None or found.strongest_tenth == pytest.approx(1)
    assert found.signs in {1.0, None}


def test_the_strongest_tenth_and_the_signs() -> None:
    first = np.arange(1.0, 21.0)  # the strongest tenth: 20 and 19
    second = first.copy()
    second[[0, 19]] = second[[19, 0]]
    (found,) = compared(first, -second)
    assert found.strongest_tenth == 0.5
    assert found.signs == 0.0
    assert found.cells == (0, 1)


def test_zeros_are_in_no_strongest_tenth_and_have_no_sign() -> None:
    nothing, something = np.zeros(20), np.zeros(20)
    something[3] = 1.0
    (found,) = compared(nothing, something)
    assert (found.spearman, found.strongest_tenth, found.signs) == (None, 0.0, None)
    (found,) = compared(nothing, nothing)
    assert (found.spearman, found.strongest_tenth, found.signs) == (None, None, None)


def test_maps_of_a_layer_are_enlarged_to_the_input() -> None:
    fine = np.zeros((1, 8, 8))
    fine[0, :4, :4] = 1.0
    coarse = np.array([[[1.0, 0.0], [0.0, 0.0]]])
    (found,) = agreements([Comparable("map", fine), Comparable("map", coarse)])
    assert found.spearman is not None
    assert found.spearman > 0.5
    (whole,) = agreements([Comparable("map", coarse), Comparable("map", coarse)])
    assert whole.spearman == pytest.approx(1)


def test_only_cells_over_one_input_are_paired() -> None:
    row = np.arange(5.0)[None]
    cells = [Comparable("a", row), None, Comparable("b", row), Comparable("a", row), Comparable("b", row)]
    assert [found.cells for found in agreements(cells)] == [(0, 3), (2, 4)]


def test_figures_are_means_over_the_examples() -> None:
    row = np.arange(1.0, 11.0)
    (found,) = agreements([Comparable("a", np.stack([row, row])), Comparable("a", np.stack([row, -row]))])
    assert found.signs == 0.5
    assert found.spearman == pytest.approx(1)
