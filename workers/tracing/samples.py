"""Inputs to try a model on, drawn around a sample."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

Tensors = tuple[Tensor, ...]
DRAWS = 5
DOUBLED = 2  # of them, in a batch of two as well


def draws(sample: Tensors) -> Iterator[Tensors]:
    """The sample, and random neighbours of it, in batches of one and of two; the same at every call.

    Floating point inputs are shifted by noise of their own scale; others (token ids, masks) stay as they are.
    """
    generator = torch.Generator().manual_seed(0)
    yield sample
    for number in range(DRAWS):
        noisy = tuple(_shifted(tensor, generator) for tensor in sample)
        yield noisy
        if number < DOUBLED:
            yield doubled(sample, noisy)


def first_row(sample: Tensors) -> Tensors:
    return tuple(tensor[:1] for tensor in sample)


def doubled(first: Tensors, second: Tensors) -> Tensors:
    return tuple(torch.cat([a, b]) for a, b in zip(first, second, strict=True))


def leaves(inputs: Tensors, attributed: int | None) -> Tensors:
    """The inputs, requiring a gradient where they are attributed (all if None) and floating point."""
    count = len(inputs) if attributed is None else attributed
    return tuple(t.detach().requires_grad_(i < count and t.is_floating_point()) for i, t in enumerate(inputs))


def enter(inputs: Tensors) -> Tensors:
    """Copies for a model to take, which it may overwrite: of a leaf, autograd would forbid it."""
    return tuple(tensor.clone() for tensor in inputs)


def tensors_in(value: Any) -> Iterator[Tensor]:
    """Every tensor of a module's input or output, whatever it is packed in."""
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


def labelled(root: nn.Module, path: str) -> str:
    """A module in the words of whoever wrote the model: in a rewriting, by what it stands for."""
    parts = path.split(".") if path else []
    for end in range(1, len(parts) + 1):
        known = vars(root.get_submodule(".".join(parts[:end]))).get("stands_for")
        if known is not None:
            return str(known)
    return f"{path or 'the model'} ({type(root.get_submodule(path)).__name__})"


def _shifted(tensor: Tensor, generator: torch.Generator) -> Tensor:
    if not tensor.is_floating_point():
        return tensor
    scale = float(tensor.detach().double().std(unbiased=False)) or 1.0
    noise = torch.randn(tensor.shape, generator=generator, dtype=torch.float64) * scale
    return tensor.detach() + noise.to(tensor.device, tensor.dtype)
