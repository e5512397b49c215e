"""Convolutions with channels last: the values of one pixel are adjacent in memory, which most kernels prefer."""

import torch
from torch import Tensor, nn

from workers.tracing.samples import Tensors
from workers.tracing.shared_copy import shared_copy

_FORMATS = {4: torch.channels_last, 5: torch.channels_last_3d}  # by the number of dimensions of a batch
_CONVOLUTIONS = (nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.ConvTranspose3d)


class ChannelsLast(nn.Module):
    """Converts inputs (rows, C, H, W) or (rows, C, D, H, W) to channels last and runs a model on them.

    The model's operations keep the layout. Shapes and indexing do not change.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, *inputs: Tensor) -> Tensor:
        out: Tensor = self.model(*(_channels_last(tensor) for tensor in inputs))
        return out


def channels_last(module: nn.Module, sample: Tensors, attributed: int) -> nn.Module | None:
    """A copy with weights and inputs channels last; None for models without 2D or 3D convolutions."""
    if not any(isinstance(part, _CONVOLUTIONS) for part in module.modules()):
        return None
    copied = shared_copy(module)
    for part in copied.modules():
        if isinstance(part, _CONVOLUTIONS):
            # A new parameter: the layout belongs to the memory, which the copy shares with the original.
            part.weight = nn.Parameter(_channels_last(part.weight.detach()), requires_grad=False)
    return ChannelsLast(copied).eval()


def _channels_last(tensor: Tensor) -> Tensor:
    memory_format = _FORMATS.get(tensor.dim())
    if memory_format is None or not tensor.is_floating_point():
        return tensor
    return tensor.contiguous(memory_format=memory_format)
