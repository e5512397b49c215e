"""Multipliers of elementwise activations: the rescale rule, whatever the layout and the size of the tensors."""

import pytest
import torch
from torch import Tensor, nn

from workers.methods.captum_changes.deep_lift_rules import ELEMENTWISE, ClippedReLU
from workers.transform.rules import multipliers
from workers.transform.rules.multipliers import rescaled

EPS = 1e-10


def draw(seed: int, *shape: int) -> Tensor:
    return 3 * torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def layer_of(kind: type[nn.Module]) -> nn.Module:
    return (kind(2.0) if kind is ClippedReLU else kind()).double().requires_grad_(False)


def by_definition(layer: nn.Module, x: Tensor, baseline: Tensor, eps: float) -> Tensor:
    """Element by element, as the paper says, and autograd's derivative where inputs are equal."""
    leaf = x.clone().requires_grad_()
    (slopes,) = torch.autograd.grad(layer(leaf).sum(), leaf)
    change = x - baseline
    return torch.where(change.abs() < eps, slopes, (layer(x) - layer(baseline)) / change)


@pytest.mark.parametrize("eps", [EPS, 0.5])
@pytest.mark.parametrize("kind", ELEMENTWISE, ids=lambda kind: kind.__name__)
def test_every_activation(kind: type[nn.Module], eps: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multipliers, "MULTIPLIER_BLOCK_ELEMENTS", 7)
    layer, x = layer_of(kind), draw(1, 3, 4, 5)
    baseline = torch.where(torch.arange(5) < 2, x, draw(2, 3, 4, 5))
    x[0, 0, 0], baseline[0, 0, 0] = 0.0, 0.0  # on the bend
    out, found = rescaled(layer, layer, x, baseline, eps)
    torch.testing.assert_close(out, layer(x), rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(found, by_definition(layer, x, baseline, eps), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("layout", ["contiguous", "channels last", "mixed", "strided"])
def test_every_layout(layout: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multipliers, "MULTIPLIER_BLOCK_ELEMENTS", 11)
    x, baseline = draw(1, 2, 3, 4, 5), draw(2, 2, 3, 4, 5)
    expected = by_definition(nn.ReLU6(), x, baseline, EPS)
    if layout == "strided":
        x, baseline = x.transpose(2, 3).contiguous().transpose(2, 3), baseline[:, :, :, :]
    elif layout != "contiguous":
        x = x.contiguous(memory_format=torch.channels_last)
        baseline = baseline.contiguous(memory_format=torch.channels_last) if layout == "channels last" else baseline
    _, found = rescaled(nn.ReLU6(), nn.ReLU6(), x, baseline, EPS)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)


def test_a_slope_for_each_channel_is_not_cut_into_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multipliers, "MULTIPLIER_BLOCK_ELEMENTS", 4)
    layer = nn.PReLU(3).double().requires_grad_(False)
    layer.weight.copy_(torch.tensor([0.1, 0.5, 2.0]))
    x, baseline = draw(1, 2, 3, 4), draw(2, 2, 3, 4)
    _, found = rescaled(layer, layer, x, baseline, EPS)
    torch.testing.assert_close(found, by_definition(layer, x, baseline, EPS), rtol=1e-10, atol=1e-12)
