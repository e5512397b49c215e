"""A smaller size of the input at which a model computes what it does at its own size.

A convolutional network computes the same operations on a smaller picture, in a fraction of the time. What is proven of
operations on random rows is then proven at the smaller size, in float64, and checked at the model's own size.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from workers.tracing.samples import Tensors, first_row, is_large
from workers.tracing.trace import observe
from workers.tracing.tuning import SMALLER_GAIN, SMALLER_SIDES


@dataclass(frozen=True, slots=True)
class SmallerSize:
    """Cuts the places of pictures and volumes, (rows, C, H, W) or (rows, C, D, H, W), to a largest side."""

    side: int

    def shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of a tensor of one row, without the dimension of rows, after the cut."""
        if len(shape) not in (3, 4):
            return shape
        return (shape[0], *(min(extent, self.side) for extent in shape[1:]))

    def cut(self, sample: Tensors) -> Tensors:
        """A sample of the smaller size. Tensors that are no pictures stay as they are."""
        return tuple(map(self._cut, sample))

    def _cut(self, tensor: Tensor) -> Tensor:
        shape = self.shape(tuple(tensor.shape[1:]))
        return tensor[(slice(None), *map(slice, shape))].contiguous()


def smaller_size(module: nn.Module, sample: Tensors, attributed: int) -> SmallerSize | None:
    """The smallest size tried at which `module` computes the same operations on a row; None where there is none.

    One forward at each size shows the operations and their order, which module calls each, which values it takes, and
    how often each module is called. A model that looks at values, as in an `if`, is not cut: its next row may take
    another way. Neither is one whose code cannot be followed, nor one whose rows are cheap.

    Args:
        sample: what the module takes, one row or more.
        attributed: number of leading tensors that get gradients.
    """
    row = first_row(sample)
    if not is_large(row) or any(isinstance(part, torch.jit.ScriptModule) for part in module.modules()):
        return None
    sizes = [one for one in map(SmallerSize, SMALLER_SIDES) if _elements(row) >= SMALLER_GAIN * _elements(one.cut(row))]
    if not sizes:
        return None
    try:
        seen = observe(module, row, attributed)
    except Exception:  # the model's own code may raise anything
        return None
    if seen.decisions or not seen.operations:
        return None
    return next((size for size in sizes if _is_as(seen, module, size.cut(row), attributed)), None)


def _is_as(seen: object, module: nn.Module, row: Tensors, attributed: int) -> bool:
    try:
        return observe(module, row, attributed) == seen
    except Exception:  # layers of a fixed size
        return False


def _elements(row: Tensors) -> int:
    return sum(tensor.numel() for tensor in row)
