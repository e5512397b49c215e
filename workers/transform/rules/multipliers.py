"""DeepLIFT's multipliers of elementwise activations: differences of outputs over differences of inputs.

The rescale rule, Shrikumar, Greenside, Kundaje, "Learning Important Features Through Propagating Activation
Differences" (2017), section 3.5.1. Where both inputs are equal, the derivative takes the place of the quotient, as in
Captum.
"""

import math

import torch
from torch import Tensor, nn

from workers.methods.captum_changes.deep_lift_rules import ClippedReLU
from workers.transform.rules.activation_rule import Activation
from workers.transform.tuning import MULTIPLIER_BLOCK_ELEMENTS


def rescaled(
    layer: nn.Module, activation: Activation, x: Tensor, baseline: Tensor, eps: float
) -> tuple[Tensor, Tensor]:
    """The outputs of an elementwise activation, and its multipliers; both of the shape of `x`.

    The steps of this formula read and write large tensors ten times, which takes longer than a convolution. On a CPU
    they run block by block, in the cores' caches, where the memory of the tensors allows it.

    Args:
        layer: the activation as a module.
        activation: computes it, not in place.
        x, baseline: (rows, …).
        eps: where inputs differ by less, the derivative is taken.
    """
    out, multipliers = torch.empty_like(x), torch.empty_like(x)
    whole = (x, baseline, out, multipliers)
    flat = None if isinstance(layer, nn.PReLU) or x.device.type != "cpu" else _flat(whole)
    if flat is None:
        _fill(layer, activation, whole, eps)
        return out, multipliers
    for start in range(0, x.numel(), MULTIPLIER_BLOCK_ELEMENTS):
        block = slice(start, start + MULTIPLIER_BLOCK_ELEMENTS)
        _fill(layer, activation, tuple(tensor[block] for tensor in flat), eps)
    return out, multipliers


def _fill(layer: nn.Module, activation: Activation, tensors: tuple[Tensor, ...], eps: float) -> None:
    """Writes outputs and multipliers. `tensors`: inputs, baselines, outputs, multipliers."""
    x, baseline, out, multipliers = tensors
    clipped = clip_bounds(layer)
    if clipped is None:
        out.copy_(activation(x))
        at_baseline = activation(baseline)
    else:
        torch.clamp(x, *clipped, out=out)
        at_baseline = torch.clamp(baseline, *clipped)
    torch.sub(out, at_baseline, out=multipliers)
    change = torch.sub(x, baseline, out=at_baseline)
    equal = change.abs().lt_(eps)  # 1 or 0
    multipliers.div_(change.add_(equal))  # finite where inputs are equal
    slopes = derivative(activation, x) if clipped is None else _clip_derivative(x, *clipped)
    # Exactly one of both; `where` takes four times as long.
    torch.lerp(multipliers, slopes, equal, out=multipliers)


def clip_bounds(layer: nn.Module) -> tuple[float, float] | None:
    """The bounds to which an activation clips its input; None for one that does not clip."""
    if type(layer) is nn.ReLU:
        return 0.0, math.inf
    if type(layer) is ClippedReLU:
        return 0.0, layer.upper
    if isinstance(layer, nn.Hardtanh):  # nn.ReLU6 too
        return float(layer.min_val), float(layer.max_val)
    return None


def derivative(activation: Activation, x: Tensor) -> Tensor:
    """The derivative of an elementwise activation, of the shape of `x`."""
    with torch.enable_grad():
        leaf = x.detach().requires_grad_()
        (slopes,) = torch.autograd.grad(activation(leaf).sum(), leaf)
    return slopes


def _clip_derivative(x: Tensor, lower: float, upper: float) -> Tensor:
    """As autograd has it: zero at the bounds."""
    slopes: Tensor = torch.ops.aten.hardtanh_backward(x.new_ones(()).expand_as(x), x, lower, upper)
    return slopes


def _flat(tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
    """All tensors as one dimension, in equal order, without copies; None where their memory does not allow it."""
    first = tensors[0]
    if any((tensor.shape, tensor.stride()) != (first.shape, first.stride()) for tensor in tensors):
        return None
    order = {4: (0, 2, 3, 1), 5: (0, 2, 3, 4, 1)}.get(first.dim())  # channels last
    if first.is_contiguous():
        return tuple(tensor.view(-1) for tensor in tensors)
    if order is None or not first.permute(order).is_contiguous():
        return None
    return tuple(tensor.permute(order).view(-1) for tensor in tensors)
