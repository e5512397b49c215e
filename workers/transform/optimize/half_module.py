"""A model whose heavy operations compute in 16 bits."""

import torch
from torch import Tensor, nn

HALF: dict[str, torch.dtype] = {"float16": torch.float16, "bfloat16": torch.bfloat16}


class HalfModule(nn.Module):
    """A float32 model whose matrix products and convolutions compute in 16 bits. Inputs and outputs stay float32.

    Operations that need more range, such as norms and softmax, stay float32, as `torch.autocast` decides.
    """

    def __init__(self, model: nn.Module, device: torch.device, dtype: torch.dtype) -> None:
        super().__init__()
        self.model = model
        self._device = device.type
        self._dtype = dtype

    def forward(self, *inputs: Tensor) -> Tensor:
        with torch.autocast(self._device, self._dtype):
            out: Tensor = self.model(*inputs)
        return out.float()
