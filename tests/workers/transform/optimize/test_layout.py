"""Channels last: another layout in memory, the same values and shapes."""

import pytest
import torch
from torch import nn

from workers.transform.optimize.layout import ChannelsLast, channels_last


@pytest.mark.parametrize(
    ("convolution", "shape", "memory_format"),
    [
        (nn.Conv2d(3, 4, 3), (2, 3, 8, 8), torch.channels_last),
        (nn.ConvTranspose2d(3, 4, 2), (2, 3, 8, 8), torch.channels_last),
        (nn.Conv3d(3, 4, 2), (2, 3, 4, 4, 4), torch.channels_last_3d),
    ],
)
def test_weights_and_inputs_are_channels_last(
    convolution: nn.Module, shape: tuple[int, ...], memory_format: torch.memory_format
) -> None:
    model = nn.Sequential(convolution, nn.ReLU()).eval()
    x = torch.randn(*shape, generator=torch.Generator().manual_seed(0))
    copied = channels_last(model, (x,), 1)
    assert isinstance(copied, ChannelsLast)
    seen = []
    copied.model[0].register_forward_pre_hook(lambda _module, args: seen.append(args[0]))  # type: ignore[operator,index]
    out = copied(x)
    assert out.shape == model(x).shape
    assert torch.allclose(out, model(x), atol=1e-6)
    assert seen[0].is_contiguous(memory_format=memory_format)
    assert copied.model[0].weight.is_contiguous(memory_format=memory_format)  # type: ignore[index,union-attr,operator]
    assert not copied.model[0].weight.requires_grad  # type: ignore[index,union-attr]
    assert convolution.weight.is_contiguous()  # type: ignore[operator,union-attr]


def test_other_models_have_no_layout() -> None:
    for model in (nn.Linear(4, 2), nn.Conv1d(3, 4, 2)):
        assert channels_last(model, (torch.ones(1, 3, 4),), 1) is None


def test_integers_pass_unchanged() -> None:
    ids = torch.arange(16).view(1, 1, 4, 4)
    assert ChannelsLast(nn.Identity())(ids) is ids
