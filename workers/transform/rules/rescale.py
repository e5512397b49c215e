"""DeepLIFT's rescale rule as a backward pass: gradients of a row are its multipliers against a baseline row.

Captum runs rows and baselines as one batch, and lets its hooks replace gradients in the backward pass of both. Only the
gradients of the rows are attributions, and the gradients of baselines serve none of the rules. So baselines go through
the module first, without a graph. The activations keep what they get. Then the rows go through, and each activation
computes its multipliers at once: it knows both halves of the pair. The backward pass is one of the rows alone.
"""

from collections import deque
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from workers.methods.captum_changes.deep_lift_rules import ELEMENTWISE, POOLS, RULES, Pool
from workers.tracing.samples import Tensors
from workers.transform.rules.activation_rule import Activation, ActivationRule
from workers.transform.rules.multipliers import rescaled


@dataclass(frozen=True, slots=True)
class _Seen:
    """The input of an activation for baselines, (rows, …). `version` tells whether it was overwritten since."""

    layer: nn.Module
    x: Tensor
    version: int


class RescaleRule(ActivationRule):
    """Compares each activation's input with what the same call got for the baselines."""

    def __init__(self) -> None:
        self._seen: deque[_Seen] = deque()  # in the order of the calls
        self._sees_baselines = False
        self._eps = 0.0

    def covers(self, layer: nn.Module) -> bool:
        return type(layer) in RULES and not getattr(layer, "return_indices", False)

    def run(self, module: nn.Module, rows: Tensors, baselines: Tensors, eps: float) -> Tensor:
        """As in `ActivationRule`.

        Raises:
            RuntimeError: the module calls other activations for the rows than for their baselines, or overwrites what
                an activation took.
        """
        self._eps = eps
        try:
            self._sees_baselines = True
            with torch.no_grad():
                module(*baselines)
            self._sees_baselines = False
            out: Tensor = module(*rows)
            if self._seen:
                raise RuntimeError("the model calls more activations for a baseline than for its input")
        finally:
            self._sees_baselines = False
            self._seen.clear()
        return out

    def apply(self, layer: nn.Module, activation: Activation, x: Tensor) -> Tensor:
        if self._sees_baselines:
            self._seen.append(_Seen(layer, x, x._version))
            return activation(x)
        baseline = self._baseline(layer, x)
        if not x.requires_grad:
            return activation(x)
        out: Tensor
        if type(layer) in POOLS:
            out = _Pool.apply(x, baseline, layer, *POOLS[type(layer)], self._eps)  # type: ignore[no-untyped-call]
        elif isinstance(layer, ELEMENTWISE):
            out = _Elementwise.apply(x, baseline, layer, activation, self._eps)  # type: ignore[no-untyped-call]
        else:
            out = _OverDimension.apply(x, baseline, activation, self._eps)  # type: ignore[no-untyped-call]
        return out

    def _baseline(self, layer: nn.Module, x: Tensor) -> Tensor:
        """What the same call got for the baselines."""
        seen = self._seen.popleft() if self._seen else None
        if seen is None or seen.layer is not layer or seen.x.shape != x.shape:
            raise RuntimeError("the model calls other activations for an input than for its baseline")
        if seen.x._version != seen.version:
            raise RuntimeError("the model overwrites what an activation took")
        return seen.x


class _Elementwise(torch.autograd.Function):
    """An elementwise activation."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, baseline: Tensor, layer: nn.Module, activation: Activation, eps: float) -> Tensor:
        out, multipliers = rescaled(layer, activation, x, baseline, eps)
        ctx.save_for_backward(multipliers)
        return out

    @staticmethod
    def backward(ctx: Any, *grad: Tensor) -> tuple[Tensor | None, ...]:
        (multipliers,) = ctx.saved_tensors
        return grad[0] * multipliers, None, None, None, None


class _OverDimension(torch.autograd.Function):
    """Softmax and its like: the rescale rule element by element, but a derivative that mixes a dimension."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, baseline: Tensor, activation: Activation, eps: float) -> Tensor:
        out = activation(x)
        change = x - baseline
        ctx.save_for_backward(x, (out - activation(baseline)) / change, change.abs() < eps)
        ctx.activation = activation
        return out

    @staticmethod
    def backward(ctx: Any, *grad: Tensor) -> tuple[Tensor | None, ...]:
        x, multipliers, equal = ctx.saved_tensors
        with torch.enable_grad():
            leaf = x.detach().requires_grad_()
            (plain,) = torch.autograd.grad(ctx.activation(leaf), leaf, grad[0])
        return torch.where(equal, plain, grad[0] * multipliers), None, None, None


class _Pool(torch.autograd.Function):
    """A max pool, by the rule of `workers.methods.captum_changes.deep_lift_rules.max_pool_rule`."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, baseline: Tensor, layer: nn.Module, dimensions: int, pool: Pool, eps: float
    ) -> Tensor:
        (out, at), (out_ref, at_ref) = pool(layer, x), pool(layer, baseline)
        ctx.save_for_backward(x - baseline, out, at, out_ref, at_ref)
        ctx.dimensions, ctx.eps = dimensions, eps
        return out

    @staticmethod
    def backward(ctx: Any, *grad: Tensor) -> tuple[Tensor | None, ...]:
        change, out, at, out_ref, at_ref = ctx.saved_tensors
        top = torch.maximum(out, out_ref)

        def received(indices: Tensor, given: Tensor) -> Tensor:
            """What each element of the input gets from the windows whose maximum it is."""
            flat = torch.zeros_like(change, memory_format=torch.contiguous_format).flatten(-ctx.dimensions)
            flat.scatter_add_(-1, indices.flatten(-ctx.dimensions), given.flatten(-ctx.dimensions))
            return flat.view(change.shape)

        together = received(at, grad[0] * (top - out_ref)) + received(at_ref, grad[0] * (out - top))
        multipliers = torch.where(change.abs() < ctx.eps, received(at, grad[0]), together / change)
        return multipliers, None, None, None, None, None
