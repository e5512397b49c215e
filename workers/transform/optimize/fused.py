"""Uses the cheaper equal modules that authors of composite modules offer."""

from typing import Any

import torch
from torch import nn

from workers.tracing.equivalence import compare
from workers.tracing.forward_hooks import removed_afterwards
from workers.tracing.samples import Tensors, cloned, first_row
from workers.tracing.shared_copy import shared_copy
from workers.transform.replace_modules import replace_modules
from workers.transform.tuning import FUSED_INPUT_DECADES

METHOD = "fused"


def use_fused_modules(module: nn.Module, sample: Tensors, attributed: int, *, prove: bool = True) -> nn.Module | None:
    """Returns a copy in which each part with a method `fused() -> nn.Module` is replaced by what that returns.

    A model may consist of small modules so that Captum's hooks find each of them, such as a ReLU6 of two ReLUs. Without
    hooks, one operation computes the same. Each part is compared with its replacement on random multiples of the part's
    input on the sample, unless `prove` is False: an earlier load has done so. None if no part that runs has such a
    method.

    Raises:
        ValueError: a replacement is not equal to its part.
        TypeError: the method does not return a module.
    """
    inputs = _inputs_by_path(module, sample)
    if not inputs:
        return None
    copied = shared_copy(module)
    parts = dict(copied.named_modules())
    return replace_modules(
        copied, {parts[path]: _fused(path, parts[path], given if prove else None) for path, given in inputs.items()}
    )


def _inputs_by_path(module: nn.Module, sample: Tensors) -> dict[str, Tensors]:
    """The input, one row, of the first call of each part with the method. Parts that do not run are left out."""
    inputs: dict[str, Tensors] = {}

    def keeper(path: str) -> Any:
        def hook(_module: nn.Module, args: Any) -> None:
            inputs.setdefault(path, tuple(arg.detach().clone() for arg in first_row(args)))

        return hook

    handles = [
        part.register_forward_pre_hook(keeper(path))
        for path, part in module.named_modules()
        if callable(getattr(type(part), METHOD, None))
    ]
    if handles:
        with removed_afterwards(handles), torch.no_grad():
            module(*cloned(sample))
    return inputs


def _fused(path: str, part: nn.Module, given: Tensors | None) -> nn.Module:
    """The replacement of a part, compared with it on `given`."""
    fused = getattr(part, METHOD)()
    if not isinstance(fused, nn.Module):
        raise TypeError(f"{type(part).__name__}.{METHOD}() returned {type(fused).__name__}, not an nn.Module")
    fused = fused.eval().requires_grad_(False)
    reason = None if given is None else compare(part, fused, [_scaled(given)])
    if reason is not None:
        raise ValueError(f"{path or 'the model'}: {METHOD}() is another function: {reason}")
    return fused


def _scaled(tensors: Tensors) -> Tensors:
    """Multiplies each floating-point element by a random factor of either sign, whose logarithm is uniform."""
    generator = torch.Generator().manual_seed(0)

    def scaled(tensor: torch.Tensor) -> torch.Tensor:
        if not tensor.is_floating_point():
            return tensor
        factor = 10.0 ** (FUSED_INPUT_DECADES * (2.0 * torch.rand(tensor.shape, generator=generator) - 1.0))
        sign = torch.randint(2, tensor.shape, generator=generator) * 2 - 1
        return tensor * (factor * sign).to(tensor.device, tensor.dtype)

    return tuple(map(scaled, tensors))
