"""Infidelity and maximum sensitivity equal direct Captum calls with the same seed, alone and beside other jobs."""

from typing import Any

import captum.attr as captum
import numpy as np
import pytest
import torch
from captum.metrics import infidelity, infidelity_perturb_func_decorator, sensitivity_max
from torch import Tensor

from schemas import methods as spec
from schemas.methods import AnyMethod
from schemas.metric_requests import Infidelity, SensitivityMax
from tests.workers.evaluation.audited import GRID, MODELS, audited, toy_problem
from tests.workers.methods.captum_calls import direct
from tests.workers.toys import RunningJob
from workers.engine.engine import Engine
from workers.evaluation.audit import Replacement
from workers.methods.explain_inputs import ExplainInputs

SEED = 7
CASES: list[tuple[str, AnyMethod, bool]] = [  # model, method, whether a mask groups the features
    ("mlp", spec.Saliency(abs=False), False),
    ("mlp", spec.IntegratedGradients(n_steps=9), False),
    ("mlp", spec.IntegratedGradients(n_steps=9, multiply_by_inputs=False), False),
    ("scalar", spec.IntegratedGradients(n_steps=9), False),
    ("two", spec.IntegratedGradients(n_steps=9), False),
    ("conv", spec.IntegratedGradients(n_steps=5), False),
    ("mlp", spec.GradientShap(n_samples=4, stdevs=0.2), False),
    ("conv", spec.SmoothGrad(nt_samples=4, stdevs=0.3, abs=False), False),
    ("mlp", spec.DeepLift(), False),
    ("conv", spec.GuidedBackprop(), False),
    ("mlp", spec.Occlusion(sliding_window_shapes=[1]), False),
    ("mlp", spec.FeatureAblation(), False),
    ("conv", spec.ShapleyValueSampling(n_samples=2), True),
]


def named(case: tuple[str, AnyMethod, bool]) -> str:
    return f"{case[0]}-{case[1].name}-{getattr(case[1], 'multiply_by_inputs', '')}"


def beside(engine: Engine, model: str) -> list[RunningJob]:
    """Other jobs on the same model, some of which draw and some of which want it alone."""
    subjects = [toy_problem(model, 2, seed) for seed in (31, 32, 33)]
    others = (spec.IntegratedGradients(n_steps=20), spec.GradientShap(n_samples=6, stdevs=0.1), spec.DeepLift())
    return [RunningJob(engine, method, p, seed=3) for method, p in zip(others, subjects, strict=True)]


def at(p: ExplainInputs) -> Any:
    if p.targets is None:
        return None
    return p.targets[0] if len(p.targets) == 1 else torch.tensor(p.targets)


def rates(method: AnyMethod) -> bool:
    local = (spec.Saliency, spec.SmoothGrad, spec.GuidedBackprop)
    return isinstance(method, local) or not getattr(method, "multiply_by_inputs", True)


def additive(method: AnyMethod, attributions: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Shapley values of the six stripes are spread over the 72 elements of each."""
    return tuple(a / 72 for a in attributions) if isinstance(method, spec.ShapleyValueSampling) else attributions


def absent(method: AnyMethod, p: ExplainInputs) -> tuple[Tensor, ...]:
    assert p.baselines is not None
    assert p.baseline_distribution is not None
    if isinstance(method, spec.GradientShap):
        return tuple(
            d.mean(dim=0, keepdim=True).expand_as(i) for d, i in zip(p.baseline_distribution, p.inputs, strict=True)
        )
    return p.baselines


def captums_infidelity(
    method: AnyMethod, model: str, p: ExplainInputs, asked: Infidelity, own: tuple[Tensor, ...]
) -> Tensor:
    """With Captum's decorator, which works out the perturbations from the perturbed inputs."""
    several = len(p.inputs) > 1
    kind = asked.perturbation or ("noise" if rates(method) else "baseline")
    base = absent(method, p)

    def noisy(x: Any, b: Any) -> Any:
        copies = x if several else (x,)
        out = []
        for copy, mine in zip(copies, p.inputs, strict=True):
            wide = torch.stack([row.std(correction=0) for row in mine])
            each = wide.repeat_interleave(len(copy) // len(mine)).view(-1, *[1] * (copy.dim() - 1))
            out.append(copy - torch.randn_like(copy) * (asked.stdevs * each))
        return tuple(out) if several else out[0]

    def removed(x: Any, b: Any) -> Any:
        copies, bases = (x, b) if several else ((x,), (b,))
        bases = [
            c.repeat_interleave(len(y) // len(c), 0) if len(c) == 1 else c for y, c in zip(copies, bases, strict=True)
        ]
        rows = len(copies[0])
        if model == "conv":
            units = (
                GRID.expand_as(copies[0])
                if p.feature_mask
                else torch.arange(144).view(1, 1, 12, 12).expand_as(copies[0])
            )
            coin = torch.rand(rows, int(units.max()) + 1) < 0.5
            gone = [torch.stack([c[u] for c, u in zip(coin, units, strict=True)])]
        else:
            coin = torch.rand(rows, sum(y.shape[1] for y in copies)) < 0.5
            gone = list(coin.split([y.shape[1] for y in copies], dim=1))
        out = [torch.where(g, c, y) for g, c, y in zip(gone, bases, copies, strict=True)]
        return tuple(out) if several else out[0]

    torch.manual_seed(SEED)
    return infidelity(
        MODELS[model][0],
        infidelity_perturb_func_decorator(not rates(method))(noisy if kind == "noise" else removed),
        p.inputs if several else p.inputs[0],
        additive(method, own) if several else additive(method, own)[0],
        baselines=base if several else base[0],
        target=at(p),
        n_perturb_samples=asked.n_perturb_samples,
        normalize=asked.normalize,
    )


@pytest.mark.parametrize("examples", [1, 3])
@pytest.mark.parametrize("case", CASES, ids=named)
@pytest.mark.parametrize(
    "asked",
    [Infidelity(), Infidelity(n_perturb_samples=6, normalize=True, perturbation="noise", stdevs=0.3)],
    ids=["default", "normalized noise"],
)
def test_infidelity(
    engines: dict[str, Engine], case: tuple[str, AnyMethod, bool], asked: Infidelity, examples: int
) -> None:
    model, method, masked = case
    subject = toy_problem(model, examples, seed=5, masked=masked)
    own = direct(method, MODELS[model][0], MODELS[model][0], subject, SEED)
    expected = captums_infidelity(method, model, subject, asked, own)
    removed = Replacement("own", absent(method, subject))
    alone = audited(engines[model], method, subject, asked, seed=SEED, removed=removed).metrics().infidelity
    others = beside(engines[model], model)
    among = audited(engines[model], method, subject, asked, seed=SEED, removed=removed).metrics().infidelity
    for other in others:
        other.result()
    for metric in (alone, among):
        assert metric is not None
        assert metric.values == pytest.approx(expected.tolist(), rel=1e-9)


def captums_sensitivity(method: AnyMethod, model: str, p: ExplainInputs, asked: SensitivityMax) -> Tensor:
    module = MODELS[model][0]

    def explanation(inputs: Any, **given: Any) -> Any:  # noqa: PLR0911  # a table, one row per method
        """`given` is what Captum expands along the copies."""
        copies = inputs if isinstance(inputs, tuple) else (inputs,)
        common = {"target": given["target"]}
        if "baselines" in given:
            common["baselines"] = given["baselines"]
        match method:
            case spec.Saliency():
                return captum.Saliency(module).attribute(copies, abs=method.abs, **common)
            case spec.IntegratedGradients():
                ig = captum.IntegratedGradients(module, multiply_by_inputs=method.multiply_by_inputs)
                return ig.attribute(copies, n_steps=method.n_steps, **common)
            case spec.GradientShap():
                shap = captum.GradientShap(module)
                return shap.attribute(copies, n_samples=method.n_samples, stdevs=method.stdevs, **common)
            case spec.SmoothGrad():
                tunnel = captum.NoiseTunnel(captum.Saliency(module))
                return tunnel.attribute(
                    copies, nt_samples=method.nt_samples, stdevs=method.stdevs, abs=method.abs, **common
                )
            case spec.DeepLift():
                return captum.DeepLift(module).attribute(copies, **common)
            case spec.GuidedBackprop():
                return captum.GuidedBackprop(module).attribute(copies, **common)
            case spec.Occlusion():
                return captum.Occlusion(module).attribute(copies, (1,), **common)
            case spec.FeatureAblation():
                return captum.FeatureAblation(module).attribute(copies, **common)
            case _:
                sampling = captum.ShapleyValueSampling(module)
                return sampling.attribute(copies, feature_mask=GRID, n_samples=2, **common)

    given: dict[str, Any] = {"target": at(p)}
    if hasattr(method, "baseline") and not isinstance(method, spec.SmoothGrad):
        several = p.baseline_distribution if isinstance(method, spec.GradientShap) else p.baselines
        assert several is not None
        given["baselines"] = several if len(several) > 1 else several[0]
    torch.manual_seed(SEED)
    np.random.seed(SEED)
    return sensitivity_max(
        explanation,
        p.inputs,
        perturb_radius=asked.perturb_radius,
        n_perturb_samples=asked.n_perturb_samples,
        **given,
    )


@pytest.mark.parametrize("examples", [1, 2])
@pytest.mark.parametrize("case", CASES, ids=named)
def test_sensitivity_max(engines: dict[str, Engine], case: tuple[str, AnyMethod, bool], examples: int) -> None:
    model, method, masked = case
    asked = SensitivityMax() if model == "mlp" else SensitivityMax(perturb_radius=0.1, n_perturb_samples=3)
    subject = toy_problem(model, examples, seed=5, masked=masked)
    expected = captums_sensitivity(method, model, subject, asked)
    alone = audited(engines[model], method, subject, asked, seed=SEED).metrics().sensitivity_max
    others = beside(engines[model], model)
    among = audited(engines[model], method, subject, asked, seed=SEED).metrics().sensitivity_max
    for other in others:
        other.result()
    for metric in (alone, among):
        assert metric is not None
        assert metric.values == pytest.approx(expected.tolist(), rel=1e-9)


def test_figures_do_not_disturb_each_other(engines: dict[str, Engine]) -> None:
    """Each draws from a stream of its own, so asking for more changes none."""
    subject = toy_problem("mlp", 2, seed=9)
    method = spec.GradientShap(n_samples=4, stdevs=0.2)
    both = audited(engines["mlp"], method, subject, SensitivityMax(), Infidelity(), seed=SEED).metrics()
    only = audited(engines["mlp"], method, subject, Infidelity(), seed=SEED)
    assert only.metrics().infidelity == both.infidelity
    assert torch.equal(
        only.result().attributions[0], RunningJob(engines["mlp"], method, subject, SEED).result().attributions[0]
    )
