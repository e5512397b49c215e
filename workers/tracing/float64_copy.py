"""Copies of modules in float64, where rounding neither hides nor causes a difference."""

import copy

import torch
from torch import nn

from workers.tracing.samples import Tensors, cloned
from workers.tracing.tuning import FLOAT64_COPY_BYTES


def in_float64(module: nn.Module, sample: Tensors) -> nn.Module | None:
    """A float64 copy; None where it does not run on the sample, or takes more than `FLOAT64_COPY_BYTES`."""
    pair = pair_in_float64(module, module, sample)
    return None if pair is None else pair[0]


def pair_in_float64(original: nn.Module, changed: nn.Module, sample: Tensors) -> tuple[nn.Module, nn.Module] | None:
    """Float64 copies of both modules, which share the weights that the modules share; None as in `in_float64`."""
    weights = [t for t in (*original.parameters(), *original.buffers()) if t.is_floating_point()]
    if 8 * sum(t.numel() for t in weights) > FLOAT64_COPY_BYTES:
        return None
    try:
        pair = copy.deepcopy((original, changed))  # in one call, which keeps shared weights shared
        left, right = (module.double() for module in pair)
        with torch.no_grad():
            left(*cloned(as_float64(sample)))
    except Exception:  # the device has no float64, or the model casts to a precision of its own
        return None
    return left, right


def as_float64(sample: Tensors) -> Tensors:
    return tuple(tensor.double() if tensor.is_floating_point() else tensor for tensor in sample)
