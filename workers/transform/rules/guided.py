"""Guided backpropagation and deconvolution: other backward passes of ReLU.

Sources: Springenberg et al., "Striving for Simplicity: The All Convolutional Net" (2014); Zeiler, Fergus, "Visualizing
and Understanding Convolutional Networks" (2014).
"""

import math
from typing import Any

import torch
from torch import Tensor, nn

from workers.tracing.samples import Tensors
from workers.transform.rules.activation_rule import Activation, ActivationRule
from workers.transform.rules.multipliers import clip_bounds


class GuidedRule(ActivationRule):
    """Lets only the positive part of the gradient pass a ReLU, or of the gradient behind it (`deconvolution`).

    A ReLU that is clipped from above in one step counts as a ReLU.
    """

    def __init__(self, *, deconvolution: bool) -> None:
        self._function = _Deconvolution if deconvolution else _Guided

    def covers(self, layer: nn.Module) -> bool:
        return isinstance(layer, nn.ReLU) or (isinstance(layer, nn.Hardtanh) and layer.min_val == 0 < layer.max_val)

    def run(self, module: nn.Module, rows: Tensors, baselines: Tensors, eps: float) -> Tensor:
        out: Tensor = module(*rows)
        return out

    def apply(self, layer: nn.Module, activation: Activation, x: Tensor) -> Tensor:
        if not x.requires_grad:
            return activation(x)
        out: Tensor = self._function.apply(x, layer, activation)  # type: ignore[no-untyped-call]
        return out


class _Guided(torch.autograd.Function):
    """max(gradient, 0) in front of the activation."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layer: nn.Module, activation: Activation) -> Tensor:
        out = activation(x)
        ctx.activation, ctx.bounds = activation, clip_bounds(layer)
        # The next operation keeps the output of a ReLU in any case.
        ctx.save_for_backward(out if ctx.bounds == (0.0, math.inf) else x)
        return out

    @staticmethod
    def backward(ctx: Any, *grad: Tensor) -> tuple[Tensor | None, ...]:
        (kept,) = ctx.saved_tensors
        if ctx.bounds is not None:
            return torch.ops.aten.hardtanh_backward(grad[0].clamp_min(0), kept, *ctx.bounds), None, None
        with torch.enable_grad():
            leaf = kept.detach().requires_grad_()
            (plain,) = torch.autograd.grad(ctx.activation(leaf), leaf, grad[0])
        return plain.clamp_min(0), None, None


class _Deconvolution(torch.autograd.Function):
    """max(gradient, 0) behind the activation."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layer: nn.Module, activation: Activation) -> Tensor:
        return activation(x)

    @staticmethod
    def backward(ctx: Any, *grad: Tensor) -> tuple[Tensor | None, ...]:
        return grad[0].clamp_min(0), None, None
