"""Recurrent layers on a CUDA device run without cuDNN while gradients are enabled."""

import copy

import pytest
import torch
from torch import nn
from torch.backends import cudnn

from workers.models.probes.cudnn_rnn import ForwardWithoutCudnn, enable_recurrent_backward


class Recording:
    """A layer that notes whether cuDNN is enabled when it runs."""

    def __init__(self) -> None:
        self.enabled: list[bool] = []

    def forward(self, x: torch.Tensor, *, scale: float = 1.0) -> torch.Tensor:
        self.enabled.append(cudnn.enabled)
        return x * scale


def test_cudnn_is_off_only_with_gradients() -> None:
    layer = Recording()
    forward = ForwardWithoutCudnn(layer)  # type: ignore[arg-type]
    before = cudnn.enabled
    with torch.enable_grad():
        assert float(forward(torch.tensor(2.0), scale=3.0)) == 6.0
    with torch.no_grad():
        forward(torch.tensor(2.0))
    assert layer.enabled == [False, before]
    assert cudnn.enabled == before


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_recurrent_layers_are_replaced_on_cuda(kind: type[nn.RNNBase]) -> None:
    module = nn.Sequential(nn.Linear(3, 3), kind(3, 4))
    enable_recurrent_backward(module, torch.device("cuda"))
    assert isinstance(module[1].forward, ForwardWithoutCudnn)
    assert "forward" not in vars(module[0])
    copied = copy.deepcopy(module)
    assert isinstance(copied[1].forward, ForwardWithoutCudnn)
    x = torch.randn(2, 5, 3)
    torch.testing.assert_close(module(x)[0], kind.forward(module[1], module[0](x))[0])


def test_other_devices_keep_the_module() -> None:
    module = nn.LSTM(3, 4)
    enable_recurrent_backward(module, torch.device("cpu"))
    assert "forward" not in vars(module)
