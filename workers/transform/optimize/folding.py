"""Folds batch norms, which are affine in evaluation mode, into the convolution or linear layer before them."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from workers.tracing.closeness import is_close
from workers.tracing.forward_hooks import removed_afterwards
from workers.tracing.samples import Tensors, cloned
from workers.tracing.shared_copy import shared_copy
from workers.tracing.trace import Observation, observe
from workers.transform.replace_modules import replace_modules

TOLERANCE = 1e-5  # of the norm's largest output, between both layers and the folded one


@dataclass(frozen=True, slots=True)
class Pair:
    """Paths of a layer and of the batch norm that is the only user of its output."""

    layer: str
    norm: str


def fold_batch_norms(module: nn.Module, sample: Tensors, attributed: int) -> nn.Module | None:
    """Returns a copy with batch norms folded into the layers before them; None where there is nothing to fold.

    A pair is folded if a forward calls both once, if only the norm uses the layer's output, and if the folded layer
    gives the output of both on the sample. The last condition finds layers whose own forward uses the weight otherwise.
    """
    if not any(isinstance(part, _BatchNorm) for part in module.modules()):
        return None
    folded = _Folding(module, _pairs(module, observe(module, sample, attributed))).run(sample)
    if not folded:
        return None
    copied = shared_copy(module)
    parts = dict(copied.named_modules())
    replacements: dict[nn.Module, nn.Module] = {}
    for pair, layer in folded.items():
        replacements[parts[pair.layer]] = layer
        replacements[parts[pair.norm]] = _rest(parts[pair.norm])
    return replace_modules(copied, replacements).eval().requires_grad_(False)


def _pairs(module: nn.Module, seen: Observation) -> list[Pair]:
    """Pairs in the graph of one forward; none where a value leaves the graph, which may hide a use of it."""
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
    """True for a batch norm with stored statistics whose forward computes nothing that is not known here."""
    if not isinstance(module, _BatchNorm) or module.training or module.running_mean is None or _has_hooks(module):
        return False
    return type(module).forward is _BatchNorm.forward or _is_norm_with_activation(module)


def _is_norm_with_activation(module: nn.Module) -> bool:
    """timm's `BatchNormAct2d`: the norm, then `drop`, then `act`."""
    return set(module._modules) == {"drop", "act"}


def _is_plain_layer(module: nn.Module) -> bool:
    """True for layers that compute with `weight` and `bias`. A forward of their own is checked by its result."""
    return isinstance(module, _ConvNd | nn.Linear) and not _has_hooks(module)


def _has_hooks(module: nn.Module) -> bool:
    """True where hooks take part in the forward, such as those of a weight norm."""
    return bool(module._forward_hooks or module._forward_pre_hooks)


def _rest(norm: Any) -> nn.Module:
    """What remains to be computed after a norm is folded."""
    return nn.Sequential(norm.drop, norm.act) if _is_norm_with_activation(norm) else nn.Identity()


def _fold(layer: Any, norm: Any) -> nn.Module:
    if isinstance(layer, nn.Linear):
        return fuse_linear_bn_eval(layer, norm)
    folded: nn.Module = fuse_conv_bn_eval(layer, norm, transpose=isinstance(layer, _ConvTransposeNd))
    return folded


class _Folding:
    """One forward of the original, in which each pair is compared with its folded layer on the values it receives."""

    def __init__(self, module: nn.Module, pairs: list[Pair]) -> None:
        self._module = module
        self._parts = dict(module.named_modules())
        self._pairs = pairs
        self._inputs: dict[str, Tensors] = {}  # of layers whose norm has not run yet
        self._folded: dict[Pair, nn.Module] = {}

    def run(self, sample: Tensors) -> dict[Pair, nn.Module]:
        """The folded layers of the pairs that agree."""
        handles = [self._parts[pair.layer].register_forward_pre_hook(self._keep(pair)) for pair in self._pairs]
        handles += [self._parts[pair.norm].register_forward_hook(self._try(pair)) for pair in self._pairs]
        with removed_afterwards(handles), torch.no_grad():
            self._module(*cloned(sample))
        return self._folded

    def _keep(self, pair: Pair) -> Any:
        def hook(_module: nn.Module, args: Any) -> None:
            self._inputs[pair.layer] = cloned(args)

        return hook

    def _try(self, pair: Pair) -> Any:
        def hook(norm: nn.Module, _args: Any, output: Tensor) -> None:
            layer = _fold(self._parts[pair.layer], norm)
            given = _rest(norm)(layer(*self._inputs.pop(pair.layer)))
            if is_close(output, given, TOLERANCE):
                self._folded[pair] = layer

        return hook
