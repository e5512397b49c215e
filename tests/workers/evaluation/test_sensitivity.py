"""Maximum sensitivity equals direct Captum calls with the same seed, alone and beside other jobs."""

from typing import Any

import captum.attr as captum
import numpy as np
import pytest
import torch
from captum.metrics import sensitivity_max
from torch import Tensor

from schemas import methods as spec
from schemas.methods import AnyMethod
from schemas.metric_requests import SensitivityMax
from tests.workers.evaluation.captum_cases import CASES, SEED, at, beside, named
from tests.workers.evaluation.evaluated import GRID, MODELS, evaluated, toy_problem
from workers.engine.engine import Engine
from workers.methods.explain_inputs import ExplainInputs


def captums_sensitivity(method: AnyMethod, model: str, p: ExplainInputs, request: SensitivityMax) -> Tensor:
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
        perturb_radius=request.perturb_radius,
        n_perturb_samples=request.n_perturb_samples,
        **given,
    )


@pytest.mark.parametrize("examples", [1, 2])
@pytest.mark.parametrize("case", CASES, ids=named)
def test_sensitivity_max(engines: dict[str, Engine], case: tuple[str, AnyMethod, bool], examples: int) -> None:
    model, method, masked = case
    request = SensitivityMax() if model == "mlp" else SensitivityMax(perturb_radius=0.1, n_perturb_samples=3)
    subject = toy_problem(model, examples, seed=5, masked=masked)
    expected = captums_sensitivity(method, model, subject, request)
    alone = evaluated(engines[model], method, subject, request, seed=SEED).metrics().sensitivity_max
    others = beside(engines[model], model)
    among = evaluated(engines[model], method, subject, request, seed=SEED).metrics().sensitivity_max
    for other in others:
        other.result()
    for metric in (alone, among):
        assert metric is not None
        assert metric.values == pytest.approx(expected.tolist(), rel=1e-9)
