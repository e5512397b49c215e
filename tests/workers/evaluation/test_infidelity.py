"""Infidelity equals direct Captum calls with the same seed, alone and beside other jobs."""

from typing import Any

import pytest
import torch
from captum.metrics import infidelity, infidelity_perturb_func_decorator
from torch import Tensor

from schemas import methods as spec
from schemas.methods import AnyMethod
from schemas.metric_requests import Infidelity
from tests.workers.evaluation.captum_cases import CASES, SEED, at, beside, named
from tests.workers.evaluation.evaluated import GRID, MODELS, evaluated, toy_problem
from tests.workers.methods.captum_calls import direct
from workers.engine.engine import Engine
from workers.evaluation.evaluation_inputs import NamedBaseline
from workers.methods.explain_inputs import ExplainInputs


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
    method: AnyMethod, model: str, p: ExplainInputs, request: Infidelity, own: tuple[Tensor, ...]
) -> Tensor:
    """With Captum's decorator, which works out the perturbations from the perturbed inputs."""
    several = len(p.inputs) > 1
    kind = request.perturbation or ("noise" if rates(method) else "baseline")
    base = absent(method, p)

    def noisy(x: Any, b: Any) -> Any:
        copies = x if several else (x,)
        out = []
        for copy, mine in zip(copies, p.inputs, strict=True):
            wide = torch.stack([row.std(correction=0) for row in mine])
            each = wide.repeat_interleave(len(copy) // len(mine)).view(-1, *[1] * (copy.dim() - 1))
            out.append(copy - torch.randn_like(copy) * (request.stdevs * each))
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
        n_perturb_samples=request.n_perturb_samples,
        normalize=request.normalize,
    )


@pytest.mark.parametrize("examples", [1, 3])
@pytest.mark.parametrize("case", CASES, ids=named)
@pytest.mark.parametrize(
    "metric",
    [Infidelity(), Infidelity(n_perturb_samples=6, normalize=True, perturbation="noise", stdevs=0.3)],
    ids=["default", "normalized noise"],
)
def test_infidelity(
    engines: dict[str, Engine], case: tuple[str, AnyMethod, bool], metric: Infidelity, examples: int
) -> None:
    model, method, masked = case
    subject = toy_problem(model, examples, seed=5, masked=masked)
    own = direct(method, MODELS[model][0], MODELS[model][0], subject, SEED)
    expected = captums_infidelity(method, model, subject, metric, own)
    removed = NamedBaseline("own", absent(method, subject))
    alone = (
        evaluated(engines[model], method, subject, metric, seed=SEED, deletion_baseline=removed).metrics().infidelity
    )
    others = beside(engines[model], model)
    among = (
        evaluated(engines[model], method, subject, metric, seed=SEED, deletion_baseline=removed).metrics().infidelity
    )
    for other in others:
        other.result()
    for found in (alone, among):
        assert found is not None
        assert found.values == pytest.approx(expected.tolist(), rel=1e-9)
