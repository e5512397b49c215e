"""Recurrent layers on CUDA: cuDNN has a backward pass for them in training mode only."""

from typing import Any

import torch
from torch import nn
from torch.backends import cudnn


class ForwardWithoutCudnn:
    """Replaces the `forward` of a recurrent layer: runs it without cuDNN while gradients are enabled.

    The backward pass uses the implementation that the forward pass chose. cudnn flags belong to the process; this is
    safe because one pass runs at a time on a device.
    """

    def __init__(self, layer: nn.Module) -> None:
        self._forward = layer.forward

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not torch.is_grad_enabled():
            return self._forward(*args, **kwargs)
        with cudnn.flags(
            enabled=False,
            benchmark=cudnn.benchmark,
            deterministic=cudnn.deterministic,
            allow_tf32=cudnn.allow_tf32,
        ):
            return self._forward(*args, **kwargs)


def enable_recurrent_backward(module: nn.Module, device: torch.device) -> None:
    """Makes gradients through LSTM, GRU and RNN layers possible in evaluation mode on CUDA. Copies of the module keep
    this. On other devices the module stays as it is.
    """
    if device.type != "cuda":
        return
    for layer in module.modules():
        if isinstance(layer, nn.RNNBase):
            vars(layer)["forward"] = ForwardWithoutCudnn(layer)
