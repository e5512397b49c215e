"""The rescale rule as a backward pass: right for every kind of activation, and loud where calls do not match."""

from collections.abc import Callable

import pytest
import torch
from captum.attr import DeepLift
from torch import Tensor, nn

from tests.workers.toys import frozen
from workers.transform.rules.rescale import RescaleRule
from workers.transform.rules.rule_module import RuleModule, RuleWay

EPS = 1e-10


def draw(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def multipliers(module: RuleModule, x: Tensor, baseline: Tensor, target: int) -> Tensor:
    leaf = x.clone().requires_grad_()
    out = module((leaf.clone(),), (baseline,), EPS)
    return torch.autograd.grad(out[:, target].sum(), leaf)[0]


def partly_equal(x: Tensor) -> Tensor:
    return torch.where(torch.arange(x.shape[-1]) < 2, x, draw(9, *x.shape))


@pytest.mark.parametrize("activation", [nn.Softmax(1), nn.LogSoftmax(1), nn.Softmin(1), nn.GELU(), nn.Mish()], ids=str)
def test_activations_equal_captum_and_add_up(activation: nn.Module) -> None:
    model = frozen(nn.Sequential(nn.Linear(6, 5), activation, nn.Linear(5, 2)))
    x = draw(1, 4, 6)
    baseline = partly_equal(x)
    found = multipliers(RuleModule(model, RescaleRule(), RuleWay((), False, False)), x, baseline, 1)
    expected = DeepLift(model, multiply_by_inputs=False).attribute(x, baseline, target=1)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)
    total = (found * (x - baseline)).sum(1)
    torch.testing.assert_close(total, (model(x) - model(baseline))[:, 1], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last], ids=str)
@pytest.mark.parametrize(
    "pool",
    [lambda: nn.MaxPool2d(2), lambda: nn.MaxPool2d(3, 2, 1, ceil_mode=True), lambda: nn.AdaptiveMaxPool2d(3)],
    ids=["apart", "overlapping", "adaptive"],
)
def test_max_pools_equal_captum_and_add_up(pool: Callable[[], nn.Module], memory_format: torch.memory_format) -> None:
    model = nn.Sequential(nn.Conv2d(2, 3, 1), pool(), nn.Flatten(), nn.LazyLinear(2).double()).double()
    x = draw(1, 3, 2, 7, 7).contiguous(memory_format=memory_format)
    model(x)  # for the lazy layer to learn its size
    frozen(model)
    baseline = partly_equal(x)
    found = multipliers(RuleModule(model, RescaleRule(), RuleWay((), False, False)), x, baseline, 1)
    expected = DeepLift(model, multiply_by_inputs=False).attribute(x, baseline, target=1)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)
    total = (found * (x - baseline)).flatten(1).sum(1)
    torch.testing.assert_close(total, (model(x) - model(baseline))[:, 1], rtol=1e-9, atol=1e-12)


class Branch(nn.Module):
    """Takes one more activation for rows with a positive sum."""

    def __init__(self, *, more_for_baseline: bool) -> None:
        super().__init__()
        self.first, self.second = nn.ReLU(), nn.ReLU()
        self.more_for_baseline = more_for_baseline

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        return self.second(x) if (float(x.detach().sum()) > 0) != self.more_for_baseline else x


@pytest.mark.parametrize("more_for_baseline", [False, True])
def test_other_activations_for_the_baseline_are_an_error(more_for_baseline: bool) -> None:
    module = RuleModule(Branch(more_for_baseline=more_for_baseline), RescaleRule(), RuleWay((), False, False))
    x = torch.ones(1, 2, dtype=torch.float64)
    with pytest.raises(RuntimeError, match="activations for"):
        multipliers(module, x, -x, 0)
    multipliers(module, x, x, 0)  # what the failed call has left does not disturb the next


class Overwriting(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.act = nn.Tanh()

    def forward(self, x: Tensor) -> Tensor:
        y = 2 * x
        out = self.act(y)
        y += 1
        return out + y


def test_an_overwritten_input_of_an_activation_is_an_error() -> None:
    module = RuleModule(Overwriting(), RescaleRule(), RuleWay((), False, False))
    with pytest.raises(RuntimeError, match="overwrites"):
        multipliers(module, draw(1, 1, 2), draw(2, 1, 2), 0)


def test_without_a_gradient_an_activation_is_what_it_was() -> None:
    class Offset(nn.Module):
        """One activation sees the input, the other a constant."""

        def __init__(self) -> None:
            super().__init__()
            self.act, self.offset_act = nn.ReLU(), nn.Sigmoid()

        def forward(self, x: Tensor) -> Tensor:
            return self.act(x) + self.offset_act(torch.ones_like(x.detach()))

    module = RuleModule(Offset(), RescaleRule(), RuleWay((), False, False))
    found = multipliers(module, torch.tensor([[2.0]]), torch.tensor([[-2.0]]), 0)
    assert found.item() == 0.5
