"""Recurrent layers on CUDA: cuDNN gives their backward pass in training mode alone."""

from typing import Any

import torch
from torch import nn
from torch.backends import cudnn


class OwnKernels:
    """Stands in for a recurrent layer's `forward`: runs without cuDNN where a gradient is wanted.

    The flag counts when the graph is built; the backward pass then follows the graph. Flags are the process's, and on a
    device one pass runs at a time.
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


def allow_backward(module: nn.Module, device: torch.device) -> None:
    """Makes gradients through LSTM, GRU and RNN layers possible in evaluation mode; copies of the module keep it.

    Elsewhere than on CUDA there is nothing to do.
    """
    if device.type != "cuda":
        return
    for part in module.modules():
        if isinstance(part, nn.RNNBase):
            vars(part)["forward"] = OwnKernels(part)
