"""Composite modules that know an equal one which is cheaper while nobody looks into it."""

from typing import Any

import torch
from torch import Tensor, nn

from workers.tracing.equivalence import compare
from workers.tracing.samples import Tensors
from workers.tracing.shared_copy import shared_copy

METHOD = "fused"
DECADES = 2.0  # up and down from what a part is given, element by element: its bends may lie beyond these values


def use_fused_modules(module: nn.Module, sample: Tensors, attributed: int) -> nn.Module | None:
    """A copy in which each part with a method `fused() -> nn.Module` is replaced by what that returns.

    A model may be built of small modules so that Captum's hooks find each (a ReLU6 of two hinges); such a part says
    here what one operation it makes. Each is held against its replacement on random
    multiples of what it is given on the sample. None if no part has such a method.

    Raises:
        ValueError: a replacement is not equal to its part.
        TypeError: the method returns no module.
    """
    given = _given(module, sample)
    if not given:
        return None
    copied = shared_copy(module)
    parts = dict(copied.named_modules())
    whole = {parts[path]: _whole(path, parts[path], inputs) for path, inputs in given.items()}
    for parent in list(copied.modules()):
        for name, child in list(parent._modules.items()):  # under each of its names
            if child in whole:
                setattr(parent, name, whole[child])
    return whole.get(copied, copied)


def _given(module: nn.Module, sample: Tensors) -> dict[str, Tensors]:
    """By path, what the first call of each such part is given; parts that never run are left out."""
    given: dict[str, Tensors] = {}

    def keeper(path: str) -> Any:
        def hook(_module: nn.Module, args: Any) -> None:
            given.setdefault(path, tuple(arg[:1].detach().clone() for arg in args))

        return hook

    handles = [
        part.register_forward_pre_hook(keeper(path))
        for path, part in module.named_modules()
        if callable(getattr(type(part), METHOD, None))
    ]
    if not handles:
        return given
    try:
        with torch.no_grad():
            module(*(tensor.clone() for tensor in sample))
    finally:
        for handle in handles:
            handle.remove()
    return given


def _whole(path: str, part: nn.Module, given: Tensors) -> nn.Module:
    whole = getattr(part, METHOD)()
    if not isinstance(whole, nn.Module):
        raise TypeError(f"{type(part).__name__}.{METHOD}() returned {type(whole).__name__}, not an nn.Module")
    whole = whole.eval().requires_grad_(False)
    reason = compare(part, whole, [_scaled(given)])
    if reason is not None:
        raise ValueError(f"{path or 'the model'}: {METHOD}() is another function: {reason}")
    return whole


def _scaled(tensors: Tensors) -> Tensors:
    """Each element times a factor of either sign, its logarithm uniform."""
    generator = torch.Generator().manual_seed(0)

    def scaled(tensor: Tensor) -> Tensor:
        if not tensor.is_floating_point():
            return tensor
        factor = 10.0 ** (DECADES * (2.0 * torch.rand(tensor.shape, generator=generator) - 1.0))
        sign = torch.randint(2, tensor.shape, generator=generator) * 2 - 1
        return tensor * (factor * sign).to(tensor.device, tensor.dtype)

    return tuple(scaled(tensor) for tensor in tensors)
