"""Copies of a model: proven equal, then randomized layer by layer."""

import pytest
import torch
from torch import Tensor, nn

from schemas.errors import JobFailed
from tests.workers.evaluation.evaluated import MODELS, draw
from tests.workers.toys import ToyConvNet, frozen, problem_of, view_of
from workers.engine.view import ModelView
from workers.evaluation.randomized_copy import copy_view, layers_from_the_top, prove_copy, randomize
from workers.inputs.prepared import Prepared
from workers.transform.hookable.hookable_module import make_hookable


def test_scale_is_kept_and_structure_is_not() -> None:
    model, other = frozen(ToyConvNet()), frozen(ToyConvNet())
    randomize(other.conv2, model.conv2, torch.Generator().manual_seed(0))
    old, new = model.conv2.weight.flatten(), other.conv2.weight.flatten()
    assert float(new.std()) == pytest.approx(float(old.std()), rel=0.1)
    assert abs(float(torch.corrcoef(torch.stack([old, new]))[0, 1])) < 0.2
    assert torch.equal(model.conv1.weight, other.conv1.weight)


class Functional(nn.Module):
    """An activation that is no module, so that DeepLIFT is run on a rewriting that shares these weights."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(6, 8)
        self.second = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(torch.relu(self.first(x)))


def test_a_rewriting_is_randomised_with_the_model() -> None:
    module = frozen(Functional())
    inputs = (torch.ones(1, 6, dtype=torch.float64),)
    view = view_of(module)
    hookable = make_hookable(view, Prepared(inputs, (), inputs, ())).module
    assert hookable is not None
    view = ModelView(module, module, view.device, hookable=hookable)
    copied = copy_view(view)
    assert copied.hookable is not None
    for _, layer in layers_from_the_top(copied, problem_of(inputs)):
        randomize(layer, layer, torch.Generator().manual_seed(1))
    assert torch.allclose(copied.module(*inputs), copied.hookable(*inputs))
    assert not torch.allclose(copied.module(*inputs), module(*inputs))


class Closed(nn.Module):
    """What a hook keeps is read by the forward; in a copy, the hook writes to the original's list."""

    def __init__(self, kept: str) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(2, 3).double(), nn.Linear(3, 2).double()
        box: list[Tensor] = [torch.zeros(1, 3, dtype=torch.float64)]
        self.box = box

        def keep(_module: nn.Module, _args: object, out: Tensor) -> None:
            box[0] = out

        if kept == "hook":
            self.first.register_forward_hook(keep)
        self.kept = kept

    def forward(self, x: Tensor) -> Tensor:
        if self.kept == "hook":
            self.first(x)
            return self.second(self.box[0])
        return self.second(self.first(x))


def test_a_copy_that_reads_what_the_original_keeps_fails_the_job() -> None:
    module = frozen(Closed("hook"))
    subject = problem_of(draw([[2]], 1, seed=1), [0])
    view = view_of(module)
    with pytest.raises(JobFailed, match="cannot be randomized"):
        prove_copy(view, copy_view(view), subject)


def test_an_equal_copy_is_proven() -> None:
    for module in (MODELS["mlp"][0], frozen(Closed("none"))):
        view = view_of(module)
        copied = copy_view(view)
        inputs = 2 if module is not MODELS["mlp"][0] else None
        shapes = [[inputs]] if inputs else MODELS["mlp"][1]
        prove_copy(view, copied, problem_of(draw(shapes, 1, seed=1), [0]))
        with torch.no_grad():
            next(copied.module.parameters()).add_(1.0)
        with pytest.raises(JobFailed, match="outputs differ"):
            prove_copy(view, copied, problem_of(draw(shapes, 1, seed=1), [0]))
