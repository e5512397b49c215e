"""The rule that chooses points on a path, on curves whose integrals are known."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.methods.adaptive.quadrature import NODES, Estimate, Path, Vector, estimates, next_nodes

Curve = Callable[[Vector], Vector]  # (n,) alphas to (n, elements) attributions


def walk(curve: Curve, integral: Callable[[float], float], tolerance: float, most: int = 300) -> tuple[Path, Estimate]:
    """Refines as a worker does; `integral(a)` is F(a), that of the elements' sum from 0 to a."""
    path = Path((integral(0.0), integral(1.0)))
    kept = np.empty((0, curve(np.array([0.5])).shape[1]))
    estimate: Estimate | None = None
    while len(alphas := next_nodes(path, estimate, most - len(path.alphas))):
        rows = curve(alphas)
        kept = np.concatenate([kept, rows])
        path.add(alphas, np.array([integral(a) for a in alphas]), rows.sum(axis=1), rows @ kept.T)
        found = estimates(path)
        bound = tolerance * abs(path.difference)
        estimate = next((one for one in found if one.within(bound)), found[-1])
        if estimate.within(bound):
            break
    assert estimate is not None
    assert np.isclose(estimate.weights @ kept.sum(axis=1) - path.difference, estimate.delta)
    return path, estimate


def test_a_polynomial_takes_three_points() -> None:
    path, estimate = walk(lambda a: np.stack([1 + a, a**2], axis=1), lambda a: a + a**2 / 2 + a**3 / 3, 1e-2)
    assert len(path.alphas) == 3
    assert estimate.rule == "polynomial"
    assert abs(estimate.delta) < 1e-12


def test_a_smooth_path_takes_seven_points() -> None:
    path, estimate = walk(lambda a: np.stack([np.exp(3 * a)], axis=1), lambda a: float(np.exp(3 * a) / 3), 1e-4)
    assert np.allclose(np.sort(path.alphas), NODES)
    assert estimate.rule == "polynomial"
    assert abs(estimate.delta) < 1e-9


def test_a_smooth_narrow_peak_is_resolved_by_cubics() -> None:
    path, estimate = walk(
        lambda a: np.stack([1 / (0.02 + (a - 0.3) ** 2)], axis=1),
        lambda a: float(np.arctan((a - 0.3) / np.sqrt(0.02)) / np.sqrt(0.02)),
        1e-4,
    )
    assert estimate.rule == "cubic"
    assert len(path.alphas) < 40
    assert abs(estimate.delta) < 1e-4 * path.difference


@pytest.mark.parametrize("at", [0.013, 0.4, 0.99])
def test_jumps_are_where_the_points_go(at: float) -> None:
    path, estimate = walk(
        lambda a: np.stack([1.0 + (a > at) * 9.0, (a > at) * -4.0], axis=1), lambda a: a + max(0.0, a - at) * 5.0, 1e-3
    )
    assert estimate.rule == "linear"
    assert abs(estimate.delta) <= 1e-3 * abs(path.difference)
    beyond_the_start = path.alphas[len(NODES) :]
    assert len(beyond_the_start) < 20
    assert np.sort(np.abs(beyond_the_start - at))[: len(beyond_the_start) // 2].max() < 0.1


def test_a_path_without_an_end_stops_at_the_most() -> None:
    """A slope that contradicts the outputs, as a model with a gradient of its own making has."""
    path, estimate = walk(lambda a: np.ones((len(a), 1)), lambda a: 2.0 * a, 1e-2, most=60)
    assert len(path.alphas) == 60
    assert estimate.delta == pytest.approx(-1.0)


def test_nothing_changes() -> None:
    path, estimate = walk(lambda a: np.zeros((len(a), 2)), lambda _: 1.5, 1e-2)
    assert len(path.alphas) == 3
    assert estimate.delta == estimate.map_error == 0.0


@settings(max_examples=30, deadline=None)
@given(
    jumps=st.lists(st.tuples(st.floats(0.001, 0.999), st.floats(-3, 3)), max_size=5),
    tolerance=st.sampled_from([1e-1, 1e-2, 1e-3]),
)
def test_weights_are_a_mean_and_nodes_lie_on_the_path(jumps: list[tuple[float, float]], tolerance: float) -> None:
    def curve(a: Vector) -> Vector:
        return np.stack([np.cos(a), *((a > at) * by for at, by in jumps)], axis=1)

    def integral(a: float) -> float:
        return float(np.sin(a)) + sum(max(0.0, a - at) * by for at, by in jumps)

    path, estimate = walk(curve, integral, tolerance, most=100)
    assert estimate.weights.sum() == pytest.approx(1.0)
    assert path.alphas.min() > 0
    assert path.alphas.max() < 1
    assert len(np.unique(path.alphas)) == len(path.alphas)
