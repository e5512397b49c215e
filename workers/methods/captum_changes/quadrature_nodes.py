"""Gauss-Legendre nodes, cached.

Captum asks numpy for them several times in every call, at a millisecond each for 50 nodes: more than a small model
takes. The numbers are Captum's own.
"""

from collections.abc import Callable
from functools import lru_cache

from captum.attr._utils import approximation_methods

Builder = Callable[[int], list[float]]

_captum_step_sizes, _captum_alphas = approximation_methods.gauss_legendre_builders()


@lru_cache(maxsize=64)
def _nodes(count: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    return tuple(_captum_step_sizes(count)), tuple(_captum_alphas(count))


def step_sizes(count: int) -> list[float]:
    """The weights of `count` nodes of the path."""
    return list(_nodes(count)[0])


def alphas(count: int) -> list[float]:
    """The places of `count` nodes on the path, between 0 and 1."""
    return list(_nodes(count)[1])


def _cached_builders() -> tuple[Builder, Builder]:
    return step_sizes, alphas


def install() -> None:
    """Puts the cached nodes in place of Captum's."""
    approximation_methods.gauss_legendre_builders = _cached_builders
