"""Gauss-Legendre nodes, kept once they are computed.

Captum asks numpy for them several times in every call, at a millisecond each for 50 nodes: more than a small model
takes. Put into Captum's table when this module is imported; the numbers are its own.
"""

from functools import lru_cache

from captum.attr._utils import approximation_methods

_step_sizes, _alphas = approximation_methods.gauss_legendre_builders()


@lru_cache(maxsize=64)
def _nodes(count: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    return tuple(_step_sizes(count)), tuple(_alphas(count))


def step_sizes(count: int) -> list[float]:
    return list(_nodes(count)[0])


def alphas(count: int) -> list[float]:
    return list(_nodes(count)[1])


approximation_methods.gauss_legendre_builders = lambda: (step_sizes, alphas)
