"""Inputs and baselines to compare on, and guided backpropagation as its paper defines it."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

RELUS = ("Relu", "Clamp", "Hardtanh")


def baseline_of(x: Tensor) -> Tensor:
    """Equal to the input in a part, as a baseline of black pixels is."""
    baseline = 0.3 * torch.randn(x.shape, generator=torch.Generator().manual_seed(5), dtype=x.dtype)
    return torch.where(torch.arange(x.shape[-1]) < 2, x, baseline)


def several(x: Tensor) -> Tensor:
    return torch.cat([x, 1.3 * x.flip(1), x.roll(1, -1)])


def nodes(out: Tensor) -> Iterator[Any]:
    seen, waiting = set(), [out.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is not None and node not in seen:
            seen.add(node)
            yield node
            waiting += [parent for parent, _ in node.next_functions]


def reference(model: nn.Module, x: Tensor, target: int | list[int], deconvolution: bool = False) -> Tensor:
    """Guided backpropagation from its paper: at every ReLU of the model as written, only positive gradient goes on."""
    x = x.clone().requires_grad_()
    out = model(x.clone())

    def only_positive(given: tuple[Tensor], came: tuple[Tensor]) -> tuple[Tensor]:
        return ((came if deconvolution else given)[0].clamp(min=0),)

    for node in nodes(out):
        if node.name().startswith(RELUS):
            node.register_hook(only_positive)
    return torch.autograd.grad(out[range(len(out)), target].sum(), x)[0]
