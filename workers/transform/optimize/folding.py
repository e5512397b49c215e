"""Batch norms in evaluation mode are affine: the convolution or linear layer before one can do its work."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from workers.tracing.samples import Tensors
from workers.tracing.shared_copy import shared_copy
from workers.tracing.trace import Observation, observe

TOLERANCE = 1e-5  # of the largest output of the norm, between the pair and the layer that it is folded into


@dataclass(frozen=True, slots=True)
class Pair:
    """Paths of a layer and of the batch norm that alone takes its output."""

    layer: str
    norm: str


def fold_batch_norms(module: nn.Module, sample: Tensors, attributed: int) -> nn.Module | None:
    """A copy with batch norms folded into the layers before them; None where there is nothing to fold.

    A pair is folded if each is called once in a forward, nothing but the norm computes with what the layer gives, and
    the folded layer gives what both gave on the sample: a layer with a forward of its own may use its weight otherwise.
    """
    if not any(isinstance(part, _BatchNorm) for part in module.modules()):
        return None
    folded = _Folding(module, _pairs(module, observe(module, sample, attributed))).run(sample)
    if not folded:
        return None
    copied = shared_copy(module)
    parts = dict(copied.named_modules())
    new: dict[nn.Module, nn.Module] = {}
    for pair, layer in folded.items():
        new[parts[pair.layer]] = layer
        new[parts[pair.norm]] = _after(parts[pair.norm])
    for parent in list(copied.modules()):
        for name, child in list(parent._modules.items()):  # under each of its names
            if child in new:
                setattr(parent, name, new[child])
    return copied.eval().requires_grad_(False)


def _pairs(module: nn.Module, seen: Observation) -> list[Pair]:
    """By the graph of one forward. A value that leaves the graph may be used in ways it does not show: then none."""
    if seen.decisions:
        return []
    parts = dict(module.named_modules())
    pairs = []
    for path, part in parts.items():
        if not _is_fixed_norm(part) or seen.calls[path] != 1 or seen.takers.get(path) != [[path]]:
            continue
        (before,) = seen.makers[path] if len(seen.makers[path]) == 1 else ("",)
        if seen.calls[before] == 1 and _is_plain_layer(parts[before]):
            pairs.append(Pair(before, path))
    return pairs


def _is_fixed_norm(module: nn.Module) -> bool:
    """True for a batch norm whose result depends on no other row, and which computes nothing else."""
    if not isinstance(module, _BatchNorm) or module.training or module.running_mean is None or _altered(module):
        return False
    own = type(module).forward is not _BatchNorm.forward
    return not own or _is_norm_with_activation(module)


def _is_norm_with_activation(module: nn.Module) -> bool:
    """timm's `BatchNormAct2d`: the norm, then `drop`, then `act`."""
    return set(module._modules) == {"drop", "act"}


def _is_plain_layer(module: nn.Module) -> bool:
    """True where `weight` and `bias` are what the layer computes with; its own forward is checked by its result."""
    return isinstance(module, _ConvNd | nn.Linear) and not _altered(module)


def _altered(module: nn.Module) -> bool:
    """True where hooks take part in the forward, as those of a weight norm."""
    return bool(module._forward_hooks or module._forward_pre_hooks)


def _after(norm: Any) -> nn.Module:
    """What is left of a norm that was folded."""
    return nn.Sequential(norm.drop, norm.act) if _is_norm_with_activation(norm) else nn.Identity()


def _fold(layer: Any, norm: Any) -> nn.Module:
    if isinstance(layer, nn.Linear):
        return fuse_linear_bn_eval(layer, norm)
    folded: nn.Module = fuse_conv_bn_eval(layer, norm, transpose=isinstance(layer, _ConvTransposeNd))
    return folded


class _Folding:
    """One forward of the original, during which each pair is tried on the values that it gets."""

    def __init__(self, module: nn.Module, pairs: list[Pair]) -> None:
        self._module = module
        self._parts = dict(module.named_modules())
        self._pairs = pairs
        self._given: dict[str, Any] = {}  # what a layer took, until its norm has run
        self._folded: dict[Pair, nn.Module] = {}

    def run(self, sample: Tensors) -> dict[Pair, nn.Module]:
        handles = []
        for pair in self._pairs:
            handles.append(self._parts[pair.layer].register_forward_pre_hook(self._keep(pair)))
            handles.append(self._parts[pair.norm].register_forward_hook(self._try(pair)))
        try:
            with torch.no_grad():
                self._module(*(tensor.clone() for tensor in sample))
        finally:
            for handle in handles:
                handle.remove()
        return self._folded

    def _keep(self, pair: Pair) -> Any:
        def hook(_module: nn.Module, args: Any) -> None:
            self._given[pair.layer] = tuple(arg.clone() for arg in args)

        return hook

    def _try(self, pair: Pair) -> Any:
        def hook(norm: nn.Module, _args: Any, out: Tensor) -> None:
            layer = _fold(self._parts[pair.layer], norm)
            given = _after(norm)(layer(*self._given.pop(pair.layer)))
            if given.shape == out.shape and float((given - out).abs().max()) <= TOLERANCE * float(out.abs().max()):
                self._folded[pair] = layer

        return hook
