"""How far two tensors are apart, relative to a scale."""

import math

import torch
from torch import Tensor

SMALLEST_SCALE = 1e-300  # where all values are zero, any difference is large


def is_close(expected: Tensor, given: Tensor, tolerance: float) -> bool:
    """Whether shapes agree and no element differs by more than `tolerance` times the largest expected value.

    NaN equals NaN, and an infinity equals itself. Values that are not floating point must be equal.
    """
    if not expected.is_floating_point():
        return torch.equal(expected, given)
    return distance(expected, given, largest(expected)) <= tolerance


def distance(one: Tensor, other: Tensor, scale: float) -> float:
    """The largest absolute difference, divided by `scale`; infinite where shapes differ or only one is finite."""
    if one.shape != other.shape:
        return math.inf
    if not one.numel():
        return 0.0
    a, b = _floating(one), _floating(other)
    far = float((a - b).abs().max())
    if not math.isfinite(far):  # infinities and NaN may still be equal
        different = (a != b) & ~(a.isnan() & b.isnan())
        far = float((a - b)[different].abs().max()) if bool(different.any()) else 0.0
    return math.inf if math.isnan(far) else far / max(scale, SMALLEST_SCALE)


def norm_distance(one: Tensor, other: Tensor, scale: float) -> float:
    """The L2 norm of the difference, divided by `scale`; infinite as in `distance`."""
    if math.isinf(distance(one, other, 1.0)):
        return math.inf
    return norm(one.double() - other.double()) / max(scale, SMALLEST_SCALE)


def largest(tensor: Tensor) -> float:
    """The largest finite absolute value; 0 for a tensor without elements."""
    if not tensor.numel():
        return 0.0
    value = float(_floating(tensor).abs().max())
    return value if math.isfinite(value) else float(_finite(tensor).abs().max())


def norm(tensor: Tensor) -> float:
    """The L2 norm of the finite elements."""
    return float(torch.linalg.vector_norm(_finite(tensor)))


def _finite(tensor: Tensor) -> Tensor:
    return torch.nan_to_num(tensor.double(), posinf=0.0, neginf=0.0)


def _floating(tensor: Tensor) -> Tensor:
    return tensor if tensor.is_floating_point() else tensor.double()
