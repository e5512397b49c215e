"""Rule modules of models as people write them: made, proven, and right."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from captum.attr import DeepLift
from torch import Tensor, nn

from schemas.methods import BackwardRule
from tests.workers.toys import frozen, view_of
from tests.workers.transform.hookable.definitions import baseline_of, reference, several
from tests.workers.transform.hookable.toys import MODELS, toy
from workers.engine.device.memory import resident_bytes
from workers.engine.view import ModelView
from workers.transform.hookable import hook_defects, separate_activations
from workers.transform.optimize import optimize
from workers.transform.rules import RuleChoice, RuleWay, make_rule_modules, repeat_rule_module
from workers.transform.rules.rescale import RescaleRule
from workers.transform.rules.rule_module import RuleModule

FAMILIES: dict[BackwardRule, str] = {"rescale": "deep_lift", "guided": "guided", "deconvolution": "guided"}
WAYS = {"in place": (True, True)}  # (functions, write_back); of the others with a hookable module (True, False)


def as_loaded(model: nn.Module, x: Tensor) -> tuple[ModelView, tuple[str, ...], list[tuple[Tensor, ...]]]:
    """The view of a model as a worker makes it, the steps of its optimized copy, and rows to prove on."""
    generator = torch.Generator().manual_seed(3)
    samples = [(x,), *((torch.randn(x.shape, generator=generator, dtype=x.dtype),) for _ in range(3))]
    found = optimize(model, samples, 1)
    hookable = separate_activations(model, (x,), 1).module
    view = replace(view_of(model), optimized=found.module, hookable=None if hookable is model else hookable)
    return view, found.steps, samples


def made(name: str) -> tuple[ModelView, RuleChoice, Tensor, set[str]]:
    model, x = toy(name)
    view, steps, samples = as_loaded(model, x)
    wrong = set(hook_defects(view.hook_module, (x,), 1))
    choice = make_rule_modules(view, steps, [rule for rule, family in FAMILIES.items() if family not in wrong], samples)
    return view, choice, x, wrong


def gradients(module: nn.Module, x: Tensor, target: int, baseline: Tensor | None = None) -> Tensor:
    leaf = x.clone().requires_grad_()
    out = module((leaf.clone(),), () if baseline is None else (baseline,), 1e-10)
    return torch.autograd.grad(out[:, target].sum(), leaf)[0]


@pytest.mark.parametrize("name", MODELS)
def test_models_as_they_are_written(name: str) -> None:
    view, choice, x, wrong = made(name)
    assert set(choice.modules) == {rule for rule, family in FAMILIES.items() if family not in wrong}
    assert not choice.reasons
    assert {(way.functions, way.write_back) for way in choice.ways.values()} == {WAYS.get(name, (True, False))}
    x = several(x)
    for target in (0, 3):
        for rule in choice.modules.keys() & {"guided", "deconvolution"}:
            expected = reference(view.module, x, target, rule == "deconvolution")
            found = gradients(choice.modules[rule], x, target)
            torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)
        if "rescale" in choice.modules:
            baseline = baseline_of(x)
            found = gradients(choice.modules["rescale"], x, target, baseline)
            expected = DeepLift(view.hook_module, multiply_by_inputs=False).attribute(x, baseline, target=target)
            assert float((found - expected).abs().max()) <= 1e-9 * float(expected.abs().max())
            total = (found * (x - baseline)).flatten(1).sum(1)
            difference = (view.module(x) - view.module(baseline))[:, target]
            torch.testing.assert_close(total, difference, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["resnet", "in place", "functional"])
def test_a_copy_costs_no_memory_and_is_made_again_as_it_was(name: str) -> None:
    view, choice, x, _ = made(name)
    assert resident_bytes([view.module, view.pass_module, *choice.modules.values()]) == resident_bytes(
        [view.module, view.pass_module]
    )
    steps = optimize(view.module, [(x,)], 1).steps
    for rule, way in choice.ways.items():
        again = repeat_rule_module(view, steps, rule, way, (x,))
        baseline = baseline_of(x) if rule == "rescale" else None
        expected = gradients(choice.modules[rule], x, 2, baseline)
        torch.testing.assert_close(gradients(again, x, 2, baseline), expected, rtol=0, atol=0)


class Composed(nn.Module):
    """A clipped ReLU whose upper bend is no ReLU: deconvolution sees where it is flat."""

    def __init__(self) -> None:
        super().__init__()
        self.lower, self.upper = nn.ReLU(), nn.LeakyReLU(0.0)

    def forward(self, x: Tensor) -> Tensor:
        y = self.lower(x)
        return y - self.upper(y - 0.1)

    def fused(self) -> nn.Module:
        return nn.Hardtanh(0.0, 0.1)


def test_parts_that_a_rule_must_see_are_not_fused() -> None:
    model = frozen(
        nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), Composed(), nn.Flatten(), nn.Linear(4 * 4 * 4, 3))
    )
    x = torch.randn(1, 2, 6, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    view, steps, samples = as_loaded(model, x)
    choice = make_rule_modules(view, steps, list(FAMILIES), samples)
    fused = {rule: "use_fused_modules" in way.steps for rule, way in choice.ways.items()}
    assert fused == {"rescale": True, "guided": True, "deconvolution": False}
    assert all("fold_batch_norms" in way.steps for way in choice.ways.values())
    # The weights that folding has computed are held once.
    modules = [view.module, view.pass_module]
    assert resident_bytes([*modules, *choice.modules.values()]) == resident_bytes(modules)


def refused(model: nn.Module, **changes: Any) -> dict[BackwardRule, str]:
    x = torch.randn(1, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    view, steps, samples = as_loaded(model, x)
    choice = make_rule_modules(replace(view, **changes), steps, ["rescale"], samples)
    assert not choice.modules
    assert not choice.ways
    return choice.reasons


def test_where_hooks_fail_there_is_no_module_and_a_reason() -> None:
    """Captum raises on a ReLU that is called twice: nothing can be proven without the hookable module."""
    act = nn.ReLU()
    model = frozen(nn.Sequential(nn.Linear(6, 6), act, nn.Linear(6, 6), act, nn.Linear(6, 2)))
    assert refused(model, hookable=None) == {"rescale": refused(model, hookable=None)["rescale"]}
    assert "RuntimeError" in refused(model, hookable=None)["rescale"]


class Cube(nn.ReLU):
    """Looks like a ReLU to hooks, and is none."""

    def forward(self, x: Tensor) -> Tensor:
        return x**3


def test_a_rule_module_that_differs_from_hooks_is_not_used() -> None:
    """Hooks have no rule for the class `Cube`, and the optimized module in its place has a Tanh."""
    model = frozen(nn.Sequential(nn.Linear(6, 6), Cube(), nn.Linear(6, 2)))
    other = frozen(nn.Sequential(nn.Linear(6, 6), nn.Tanh(), nn.Linear(6, 2)))
    x = torch.randn(1, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    view, _, samples = as_loaded(model, x)
    unlike = replace(view, hookable=other)
    choice = make_rule_modules(unlike, (), ["rescale", "guided"], samples)
    assert not choice.modules
    assert set(choice.reasons) == {"rescale", "guided"}
    assert choice.conclusive


def test_a_model_without_a_float64_copy_stays_in_the_solo_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.transform.rules.proof.FLOAT64_COPY_BYTES", 8)
    model = frozen(nn.Sequential(nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 2)))
    assert refused(model)["rescale"].startswith("no float64 copy to prove it on")


def test_functions_count_only_where_hooks_count_them() -> None:
    """As in a language model: hooks see the module, not the function, and so does the rule module."""

    class Half(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.act, self.second = nn.Linear(6, 6), nn.Tanh(), nn.Linear(6, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.second(nn.functional.gelu(self.act(self.first(x))))

    model = frozen(Half())
    x = torch.randn(1, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    view, steps, samples = as_loaded(model, x)
    choice = make_rule_modules(replace(view, hookable=None), steps, ["rescale"], samples)
    assert choice.ways == {"rescale": RuleWay((), functions=False, write_back=False)}


class Functional(nn.Module):
    """Activations as modules, as calls of functions, or in place."""

    def __init__(self, *, function: bool, in_place: bool) -> None:
        super().__init__()
        self.first, self.relu, self.last = nn.Linear(4, 5), nn.ReLU(inplace=in_place), nn.Linear(5, 2)
        self._function = function

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.first(x))
        return self.last(torch.tanh(x) if self._function else x)


@pytest.mark.parametrize("function", [False, True])
@pytest.mark.parametrize("in_place", [False, True])
def test_ways_that_compute_the_same_are_known_after_a_forward(function: bool, in_place: bool) -> None:
    model, x = frozen(Functional(function=function, in_place=in_place)), torch.randn(2, 4, dtype=torch.float64)
    made = RuleModule(model, RescaleRule(), RuleWay((), functions=True, write_back=False))
    made((x,), (torch.zeros_like(x),))
    assert made.computes_as(made.way)
    assert made.computes_as(RuleWay((), functions=False, write_back=False)) is not function
    assert made.computes_as(RuleWay((), functions=True, write_back=True)) is not in_place
    assert not made.computes_as(RuleWay(("fold_batch_norms",), functions=True, write_back=False))
    blind = RuleModule(model, RescaleRule(), RuleWay((), functions=False, write_back=False))
    blind((x,), (torch.zeros_like(x),))
    assert not blind.computes_as(made.way)  # it cannot tell whether there are calls of functions
