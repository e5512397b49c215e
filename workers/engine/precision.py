"""In which precision shared passes compute. TF32 is off unless a model's operator asks for it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from schemas.precision import Precision

HALF: dict[str, torch.dtype] = {"float16": torch.float16, "bfloat16": torch.bfloat16}
_SWITCH = threading.RLock()  # whoever holds it decides whether this process may use TF32


def forbid_tf32() -> None:
    """Has CUDA multiply and convolve float32 as float32, whatever PyTorch's default: cuDNN's is TF32."""
    _allow_tf32(False)


@contextmanager
def without_tf32() -> Iterator[None]:
    """No pass of this process uses TF32 meanwhile: those that would, wait."""
    with _SWITCH:
        forbid_tf32()
        yield


@contextmanager
def passes_in(precision: Precision) -> Iterator[None]:
    """Around a whole pass, both ways. The flags are the process's, and are read when an operation is launched."""
    if precision != "tf32":
        yield
        return
    with _SWITCH:
        _allow_tf32(True)
        try:
            yield
        finally:
            _allow_tf32(False)


def _allow_tf32(allowed: bool) -> None:
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed


class InHalf(nn.Module):
    """A float32 model whose matrix products and convolutions compute in 16 bits; inputs and outputs stay float32.

    What needs more range, such as norms and softmax, stays float32, as `torch.autocast` decides.
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
