"""What is hard to rewrite, and what is refused."""

import copy
import warnings
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from captum.attr import DeepLift
from torch import Tensor, nn

from tests.workers.toys import frozen
from tests.workers.transform.hookable.toys import MODELS, toy
from workers.transform.hookable import separate_activations


class OverItsChildren(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(6, 6)
        self.second = nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.children():
            x = F.relu(layer(x))
        return x


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        state = self.layer(x[:, 0])
        for step in range(1, x.shape[1]):
            state = torch.tanh(self.layer(state + x[:, step]))
        return state


class ReLULast(nn.Sequential):
    def forward(self, x: Tensor) -> Tensor:
        return F.relu(super().forward(x))


def row(*shape: int) -> Tensor:
    return torch.randn(1, *shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


@pytest.mark.parametrize("build", [OverItsChildren, lambda: ReLULast(nn.Linear(6, 6), nn.Linear(6, 4))])
def test_models_that_can_take_no_child(build: Callable[[], nn.Module]) -> None:
    model, x = frozen(build(), seed=3), row(6)
    hookable = separate_activations(model, (x,))
    assert hookable.reason is None
    for path, _ in model.named_modules():
        hookable.module.get_submodule(path)
    given = DeepLift(hookable.module).attribute(x, 0 * x, target=0).sum()
    torch.testing.assert_close(given, (model(x) - model(0 * x))[0, 0])


def test_more_calls_than_were_seen_are_an_error() -> None:
    hookable = separate_activations(frozen(Recurrent()), (row(4, 3),))
    assert hookable.reason is None
    hookable.module(row(3, 3).requires_grad_())
    for _ in range(2):
        with pytest.raises(RuntimeError, match="more often than on the sample"):
            hookable.module(row(5, 3).requires_grad_())
    hookable.module(row(4, 3).requires_grad_())


def test_a_copy_of_the_copy_stands_alone() -> None:
    model, x = toy("functional")
    module = separate_activations(model, (x,)).module
    other = copy.deepcopy(module)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.mul_(0.5)
    given = DeepLift(other).attribute(x, 0 * x, target=1).sum()
    torch.testing.assert_close(given, (other(x) - other(0 * x))[0, 1])
    torch.testing.assert_close(module(x), model(x))


@pytest.mark.filterwarnings("ignore::FutureWarning")  # of torch.export, about itself
def test_exported_programs() -> None:
    model, x = toy("resnet")
    program = torch.export.export(model, (torch.cat([x, x]),), dynamic_shapes=({0: torch.export.Dim("rows", min=1)},))
    hookable = separate_activations(program.module(), (x,))
    assert hookable.reason is None
    given = DeepLift(hookable.module).attribute(x, 0 * x, target=1).sum()
    torch.testing.assert_close(given, (model(x) - model(0 * x))[0, 1])


@pytest.mark.parametrize("name", MODELS)
def test_in_float32_with_weights_that_train(name: str) -> None:
    model, x = toy(name)
    hookable = separate_activations(model.float().requires_grad_(True), (x.float(),))
    assert hookable.reason is None
    assert hookable.module is not model


def test_without_anything_to_change_it_is_the_model() -> None:
    model = nn.Sequential(nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 2)).double().eval()
    hookable = separate_activations(model, (row(6),))
    assert hookable.module is model
    assert (hookable.changed, hookable.reason) == ([], None)


def test_refusals() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of TorchScript as such
        script = nn.Sequential(nn.Linear(6, 6), torch.jit.script(nn.ReLU()))
    hookable = separate_activations(script, (torch.randn(1, 6),))
    assert hookable.module is script
    assert hookable.reason == "1 is TorchScript, whose code cannot be rewritten"
    assert "floating point" in (separate_activations(nn.Embedding(3, 2), (torch.tensor([[1]]),)).reason or "")
