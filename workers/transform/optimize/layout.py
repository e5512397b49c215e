"""Convolutions over pixels with their channels next to each other in memory, as the kernels of most devices want."""

import torch
from torch import Tensor, nn

from workers.tracing.samples import Tensors
from workers.tracing.shared_copy import shared_copy

_FORMATS = {4: torch.channels_last, 5: torch.channels_last_3d}  # by the dimensions of a batch
_CONVOLUTIONS = (nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.ConvTranspose3d)


class ChannelsLast(nn.Module):
    """A model whose inputs (rows, C, H, W) or (rows, C, D, H, W) are laid out channels last on their way in.

    What follows keeps the layout; shapes, and the order in which a caller indexes, stay as they were.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, *inputs: Tensor) -> Tensor:
        out: Tensor = self.model(*(_laid_out(tensor) for tensor in inputs))
        return out


def has_layout(module: nn.Module) -> bool:
    """True for models with convolutions over pixels."""
    return any(isinstance(part, _CONVOLUTIONS) for part in module.modules())


def channels_last(module: nn.Module, sample: Tensors, attributed: int) -> nn.Module | None:
    """A copy with weights and inputs channels last; None for models without convolutions over pixels."""
    if not has_layout(module):
        return None
    copied = shared_copy(module)
    for part in copied.modules():
        if isinstance(part, _CONVOLUTIONS):
            # A parameter of its own: a layout is a property of the memory, which the copy shares with the original.
            part.weight = nn.Parameter(_laid_out(part.weight.detach()), requires_grad=False)
    return ChannelsLast(copied).eval()


def _laid_out(tensor: Tensor) -> Tensor:
    form = _FORMATS.get(tensor.dim())
    return tensor if form is None or not tensor.is_floating_point() else tensor.contiguous(memory_format=form)
