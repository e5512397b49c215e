"""A copy of a module in float64, where rounding no longer hides or feigns a difference."""

import copy

import torch
from torch import Tensor, nn

Tensors = tuple[Tensor, ...]
FLOAT64_BYTES = 2 << 30  # the largest float64 copy of a model's weights that is made


def in_float64(module: nn.Module, sample: Tensors) -> nn.Module | None:
    """None where the module cannot be run in float64, or its weights take more than `FLOAT64_BYTES`."""
    pair = pair_in_float64(module, module, sample)
    return None if pair is None else pair[0]


def pair_in_float64(original: nn.Module, copied: nn.Module, sample: Tensors) -> tuple[nn.Module, nn.Module] | None:
    """Both in float64, sharing what they shared; None as in `in_float64`."""
    weights = [t for t in (*original.parameters(), *original.buffers()) if t.is_floating_point()]
    if 8 * sum(t.numel() for t in weights) > FLOAT64_BYTES:
        return None
    try:
        pair = copy.deepcopy((original, copied))  # together, so that they go on sharing weights
        left, right = (module.double() for module in pair)
        with torch.no_grad():
            left(*(tensor.clone() for tensor in as_float64(sample)))
    except Exception:  # a device without float64, or a model that insists on its own precision
        return None
    return left, right


def as_float64(sample: Tensors) -> Tensors:
    return tuple(tensor.double() if tensor.is_floating_point() else tensor for tensor in sample)
