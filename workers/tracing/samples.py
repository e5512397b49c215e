"""Samples: tuples of tensors that a module takes as `module(*sample)`, rows first."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from workers.tracing.tuning import LARGE_ROW_ELEMENTS, NEIGHBOURS, NEIGHBOURS_IN_PAIRS

Tensors = tuple[Tensor, ...]


def neighbours(sample: Tensors) -> Iterator[Tensors]:
    """Yields the sample and random neighbours of it, some of them also in a batch of two; the same at every call.

    Floating-point tensors are shifted by normal noise of their own standard deviation. Other tensors (token ids, masks)
    stay unchanged.

    Args:
        sample: one row.
    """
    generator = torch.Generator().manual_seed(0)
    yield sample
    for number in range(NEIGHBOURS):
        shifted = tuple(_shifted(tensor, generator) for tensor in sample)
        yield shifted
        if number < NEIGHBOURS_IN_PAIRS:
            yield stacked([sample, shifted])


def _shifted(tensor: Tensor, generator: torch.Generator) -> Tensor:
    if not tensor.is_floating_point():
        return tensor
    scale = float(tensor.detach().double().std(unbiased=False)) or 1.0
    noise = torch.randn(tensor.shape, generator=generator, dtype=torch.float64) * scale
    return tensor.detach() + noise.to(tensor.device, tensor.dtype)


def first_row(sample: Tensors) -> Tensors:
    return tuple(tensor[:1] for tensor in sample)


def stacked(samples: Sequence[Tensors]) -> Tensors:
    """One batch with the rows of all samples, in their order."""
    return tuple(torch.cat(column) for column in zip(*samples, strict=True))


def is_large(row: Tensors) -> bool:
    """Whether a row has so many elements that a pass in float64 takes seconds."""
    return sum(tensor.numel() for tensor in row) >= LARGE_ROW_ELEMENTS


def leaves(inputs: Tensors, attributed: int | None) -> Tensors:
    """Detached inputs, of which the first `attributed` (all if None) require a gradient where they are floating point.

    They share memory with `inputs`.
    """
    count = len(inputs) if attributed is None else attributed
    return tuple(t.detach().requires_grad_(i < count and t.is_floating_point()) for i, t in enumerate(inputs))


def cloned(inputs: Tensors) -> Tensors:
    """Copies that a model may overwrite. Autograd does not let a model overwrite a leaf."""
    return tuple(tensor.clone() for tensor in inputs)


def tensors_in(value: Any) -> Iterator[Tensor]:
    """Every tensor of a module's input or output, in nested containers and dataclasses too."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from tensors_in(item)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from tensors_in(item)
    elif hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
        for name in value.__dataclass_fields__:
            yield from tensors_in(getattr(value, name))
