"""Whether numbers are finite, and in which type results hold them."""

import math

import torch
from torch import Tensor

FEW = 64  # elements, of which a list is read faster than their extremes are found


def all_finite(tensor: Tensor) -> bool:
    """True if a tensor of any real type holds neither NaN nor infinity.

    Looks at the extremes, which a NaN takes over: ten times as fast as a test of each element. They are tested as
    numbers of Python, since `torch.isfinite` is four operations.
    """
    if tensor.numel() <= FEW:
        return all(map(math.isfinite, tensor.reshape(-1).tolist()))
    lowest, highest = torch.aminmax(tensor)
    return math.isfinite(lowest.item()) and math.isfinite(highest.item())


def widened(tensor: Tensor) -> Tensor:
    """bfloat16, which neither numpy nor the wire format has, as float32, exactly; every other type unchanged."""
    return tensor.float() if tensor.dtype == torch.bfloat16 else tensor
