"""Completeness against its definition, written out row by row."""

import pytest
from torch import Tensor

from schemas import methods as spec
from schemas.methods import METHODS, AnyMethod
from schemas.metric_requests import Completeness
from tests.workers.evaluation.evaluated import MODELS, evaluated, toy_problem
from workers.engine.engine import Engine
from workers.methods.explain_inputs import ExplainInputs

COMPLETE_METHODS: list[tuple[str, AnyMethod, float]] = [  # with the largest relative error that may be left
    ("mlp", spec.IntegratedGradients(n_steps=1000), 5e-3),
    ("mlp", spec.IntegratedGradients(n_steps="auto"), 1e-2),
    ("mlp", spec.DeepLift(), 1e-6),
    ("mlp", spec.DeepLiftShap(), 1e-6),
    ("mlp", spec.LayerIntegratedGradients(layer="relu", n_steps=1000), 5e-3),
    ("mlp", spec.LayerDeepLift(layer="second"), 1e-6),
    ("mlp", spec.LayerDeepLiftShap(layer="second"), 1e-6),
    ("mlp", spec.LayerConductance(layer="second", n_steps=300), 1e-2),
    ("mlp", spec.ShapleyValueSampling(n_samples=2), 1e-5),  # Captum sums these up in single precision
    ("two", spec.ShapleyValueSampling(n_samples=2), 1e-5),
    ("two", spec.ShapleyValues(), 1e-5),
    ("mlp", spec.KernelShap(n_samples=60), 1e-2),
    ("conv", spec.ShapleyValueSampling(n_samples=2), 1e-5),
]


def outputs(model: str, subject: ExplainInputs, rows: tuple[Tensor, ...], example: int) -> float:
    """f of one row, for the target of this example."""
    out = MODELS[model][0](*rows)
    return float(out if subject.targets is None else out[0, subject.targets[example]])


def test_every_promise_is_checked() -> None:
    assert {method.name for _, method, _ in COMPLETE_METHODS} == {
        name for name, cls in METHODS.items() if cls.completeness != "never"
    }


@pytest.mark.parametrize(("model", "method", "left"), COMPLETE_METHODS, ids=lambda value: getattr(value, "name", None))
def test_completeness_is_given_where_it_is_promised(
    engines: dict[str, Engine], model: str, method: AnyMethod, left: float
) -> None:
    """Nothing is asked for."""
    subject = toy_problem(model, 2, seed=4, masked=model == "conv")
    metrics = evaluated(engines[model], method, subject).metrics().completeness
    assert metrics is not None
    assert subject.baselines is not None
    assert subject.baseline_distribution is not None
    for example, metric in enumerate(metrics):
        at_input = outputs(model, subject, tuple(t[example : example + 1] for t in subject.inputs), example)
        if method.completeness == "on_average":
            rows = [tuple(t[k : k + 1] for t in subject.baseline_distribution) for k in range(4)]
        else:
            rows = [tuple(t[example : example + 1] for t in subject.baselines)]
        away = sum(outputs(model, subject, row, example) for row in rows) / len(rows)
        assert metric.output == pytest.approx(at_input, rel=1e-9)
        assert metric.outputs_difference == pytest.approx(at_input - away, rel=1e-9)
        assert metric.error == pytest.approx(metric.attributions_sum - metric.outputs_difference, rel=1e-6, abs=1e-12)
        assert metric.relative_error == pytest.approx(abs(metric.error / metric.outputs_difference))
        assert metric.relative_error <= left


@pytest.mark.parametrize(
    ("method", "given"),
    [
        (spec.FeatureAblation(), True),  # not promised, but asked for: told how far it is from adding up
        (spec.GradientShap(n_samples=3), True),
        (spec.Saliency(), False),
        (spec.IntegratedGradients(multiply_by_inputs=False), False),
    ],
    ids=["ablation", "sampled", "rates", "local"],
)
def test_completeness_that_is_not_promised(engines: dict[str, Engine], method: AnyMethod, given: bool) -> None:
    subject = toy_problem("mlp", 2, seed=4)
    unasked = evaluated(engines["mlp"], method, subject)
    unasked.result()
    assert unasked.report is None
    if not given:
        return
    job = evaluated(engines["mlp"], method, subject, Completeness())
    metrics = job.metrics().completeness
    assert metrics is not None
    assert [f.attributions_sum for f in metrics] == pytest.approx(job.result().attributions[0].sum(dim=1).tolist())
