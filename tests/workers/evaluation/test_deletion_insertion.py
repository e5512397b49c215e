"""Deletion and insertion against their definition, written out row by row."""

import pytest
import torch
from torch import Tensor, nn

from schemas import methods as spec
from schemas.methods import AnyMethod
from schemas.metric_requests import DeletionInsertion
from schemas.metrics import Curve
from tests.workers.evaluation.evaluated import MODELS, evaluated, inputs_of, toy_problem
from tests.workers.toys import frozen, problem_of, view_of
from workers.engine.engine import Engine
from workers.evaluation.evaluation_inputs import NamedBaseline
from workers.evaluation.feature_order import feature_scores
from workers.methods.explain_inputs import ExplainInputs


class Linear(nn.Module):
    """(rows, 5) -> (rows,)."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("weights", torch.tensor([2.0, -1.0, 0.5, 4.0, -3.0]))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weights


def test_curves_of_a_linear_model() -> None:
    """Each feature adds its own attribution, so both curves are sums of the sorted attributions."""
    engine = Engine(view_of(frozen(Linear())), batch_rows=4, threads=1).start()
    x = torch.tensor([[1.0, 2.0, -1.0, 0.25, -2.0], [-1.0, 1.0, 1.0, 1.0, 1.0]], dtype=torch.float64)
    metric = evaluated(engine, spec.InputXGradient(), problem_of([x]), DeletionInsertion()).metrics()
    engine.stop()
    curves = metric.deletion_insertion
    assert curves is not None
    assert (curves.units, curves.value) == (5, "output")
    assert curves.fractions == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
    for row, example in zip(x, curves.examples, strict=True):
        parts = sorted((row * torch.tensor([2.0, -1.0, 0.5, 4.0, -3.0])).tolist(), reverse=True)
        inserted = [sum(parts[:k]) for k in range(6)]
        deleted = [sum(parts[k:]) for k in range(6)]
        assert example.insertion.values == pytest.approx(inserted)
        assert example.deletion.values == pytest.approx(deleted)
        # sum over k of the trapezoids: feature j is there for the last 5 - j steps, and half there for one
        assert example.insertion.auc == pytest.approx(sum(c * (4.5 - j) for j, c in enumerate(parts)) / 5)
        assert example.deletion.auc == pytest.approx(sum(c * (0.5 + j) for j, c in enumerate(parts)) / 5)


def slow_curves(
    model: str, subject: ExplainInputs, scores: Tensor, units: tuple[Tensor, ...], steps: int, example: int
) -> tuple[list[float], list[float]]:
    """One row at a time: features replaced in the order of their scores, probabilities of the target."""
    assert subject.baselines is not None
    order = sorted(range(scores.shape[1]), key=lambda unit: (-float(scores[example, unit]), unit))
    features = [unit for unit in order if torch.isfinite(scores[example, unit])]
    steps = min(steps, len(features))

    def at(old: tuple[Tensor, ...], new: tuple[Tensor, ...], count: int) -> float:
        rows = [t[example : example + 1].clone() for t in old]
        for row, other, numbers in zip(rows, new, units, strict=True):
            for unit in features[:count]:
                there = (numbers.expand(len(other), *numbers.shape[1:])[example : example + 1] == unit).expand_as(row)
                row[there] = other[example : example + 1][there]
        out = MODELS[model][0](*rows)
        return float(out if subject.targets is None else out.softmax(dim=1)[0, subject.targets[example]])

    counts = [round(k * len(features) / steps) for k in range(steps + 1)]
    deleted = [at(subject.inputs, subject.baselines, count) for count in counts]
    inserted = [at(subject.baselines, subject.inputs, count) for count in counts]
    return deleted, inserted


@pytest.mark.parametrize(
    ("model", "method", "steps"),
    [
        ("mlp", spec.IntegratedGradients(), 4),
        ("scalar", spec.Saliency(abs=False), 32),
        ("two", spec.FeatureAblation(), 3),
        ("conv", spec.InputXGradient(), 7),
        ("conv", spec.ShapleyValueSampling(n_samples=2), 32),
    ],
    ids=lambda value: getattr(value, "name", None),
)
@pytest.mark.parametrize("company", [False, True], ids=["alone", "beside others"])
def test_curves(engines: dict[str, Engine], model: str, method: AnyMethod, steps: int, company: bool) -> None:
    subject = toy_problem(model, 3, seed=6, masked=method.name == "shapley_value_sampling")
    inputs = inputs_of(subject, [])
    others = []
    if company:
        others = [
            evaluated(engines[model], spec.IntegratedGradients(), toy_problem(model, 2, seed), DeletionInsertion())
            for seed in (41, 42)
        ]
    job = evaluated(engines[model], method, subject, DeletionInsertion(n_steps=steps))
    metric = job.metrics().deletion_insertion
    assert [other.metrics().deletion_insertion is not None for other in others] == [True] * len(others)
    assert metric is not None
    scores = feature_scores(method, subject, job.result().attributions, inputs.features)
    assert scores is not None
    for example, curves in enumerate(metric.examples):
        for curve, values in zip(
            (curves.deletion, curves.insertion),
            slow_curves(model, subject, scores, inputs.features, steps, example),
            strict=True,
        ):
            assert curve.values == pytest.approx(values, rel=1e-9, abs=1e-15)
            assert curve.auc == pytest.approx(trapezoids(metric.fractions, curve))


def trapezoids(fractions: list[float], curve: Curve) -> float:
    pairs = zip(fractions[1:], fractions[:-1], curve.values[1:], curve.values[:-1], strict=True)
    return sum((right - left) * (b + a) / 2 for right, left, b, a in pairs)


def test_what_is_no_feature_stays() -> None:
    """Elements numbered -1, such as a text's frame, are never replaced."""
    engine = Engine(view_of(frozen(Linear())), batch_rows=4, threads=1).start()
    x = torch.ones(1, 5, dtype=torch.float64)
    units = (torch.tensor([[-1, 0, 1, 2, -1]]),)
    curves = evaluated(engine, spec.InputXGradient(), problem_of([x]), DeletionInsertion(), features=units).metrics()
    engine.stop()
    assert curves.deletion_insertion is not None
    assert curves.deletion_insertion.units == 3
    assert curves.deletion_insertion.examples[0].deletion.values[-1] == pytest.approx(2.0 - 3.0)


def test_insertion_may_start_from_elsewhere(engines: dict[str, Engine]) -> None:
    subject = toy_problem("mlp", 1, seed=2)
    start = NamedBaseline("ones", (torch.ones(1, 6, dtype=torch.float64),))
    job = evaluated(engines["mlp"], spec.Saliency(), subject, DeletionInsertion(), insertion_baseline=start)
    metric = job.metrics().deletion_insertion
    assert metric is not None
    assert (metric.deletion_baseline, metric.insertion_baseline) == ("own", "ones")
    at_start = MODELS["mlp"][0](start.tensors[0]).softmax(dim=1)[0, subject.targets[0]]  # type: ignore[index]
    assert metric.examples[0].insertion.values[0] == pytest.approx(float(at_start))


def test_layers_over_a_picture(engines: dict[str, Engine]) -> None:
    """Grad-CAM's map is laid over the pixels; a layer that covers none gives no curves."""
    subject = toy_problem("conv", 2, seed=2)
    for method, covered in (
        (spec.LayerGradCam(layer="conv2", upsample=True), True),
        (spec.LayerActivation(layer="head"), False),
    ):
        job = evaluated(engines["conv"], method, subject, DeletionInsertion(n_steps=3))
        job.result()
        assert (job.report is not None) == covered  # type: ignore[attr-defined]
        if covered:
            assert job.report.deletion_insertion.units == 144  # type: ignore[attr-defined]
