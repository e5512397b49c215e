"""Completeness, and deletion and insertion, against their definitions written out row by row."""

import pytest
import torch
from torch import Tensor, nn

from schemas import methods as spec
from schemas.methods import METHODS, AnyMethod
from schemas.metric_requests import Completeness, DeletionInsertion
from schemas.metrics import Curve
from tests.workers.evaluation.audited import GRID, MODELS, audit_of, audited, toy_problem
from tests.workers.toys import frozen, problem_of, view_of
from workers.engine.engine import Engine
from workers.evaluation.audit import Replacement
from workers.evaluation.ordering import feature_scores
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
    metrics = audited(engines[model], method, subject).metrics().completeness
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
    unasked = audited(engines["mlp"], method, subject)
    unasked.result()
    assert unasked.report is None
    if not given:
        return
    job = audited(engines["mlp"], method, subject, Completeness())
    metrics = job.metrics().completeness
    assert metrics is not None
    assert [f.attributions_sum for f in metrics] == pytest.approx(job.result().attributions[0].sum(dim=1).tolist())


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
    metric = audited(engine, spec.InputXGradient(), problem_of([x]), DeletionInsertion()).metrics()
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
    audit = audit_of(subject, [])
    others = []
    if company:
        others = [
            audited(engines[model], spec.IntegratedGradients(), toy_problem(model, 2, seed), DeletionInsertion())
            for seed in (41, 42)
        ]
    job = audited(engines[model], method, subject, DeletionInsertion(n_steps=steps))
    metric = job.metrics().deletion_insertion
    assert [other.metrics().deletion_insertion is not None for other in others] == [True] * len(others)
    assert metric is not None
    scores = feature_scores(method, subject, job.result().attributions, audit.units)
    assert scores is not None
    for example, curves in enumerate(metric.examples):
        for curve, values in zip(
            (curves.deletion, curves.insertion),
            slow_curves(model, subject, scores, audit.units, steps, example),
            strict=True,
        ):
            assert curve.values == pytest.approx(values, rel=1e-9, abs=1e-15)
            assert curve.auc == pytest.approx(trapezoids(metric.fractions, curve))


def trapezoids(fractions: list[float], curve: Curve) -> float:
    pairs = zip(fractions[1:], fractions[:-1], curve.values[1:], curve.values[:-1], strict=True)
    return sum((right - left) * (b + a) / 2 for right, left, b, a in pairs)


def test_scores_of_features_are_sums_over_their_elements() -> None:
    """A stripe that a mask makes one feature; masked attributions, which repeat a feature's, are not added up twice."""
    subject = toy_problem("conv", 2, seed=3, masked=True)
    ones = (torch.ones(2, 3, 12, 12, dtype=torch.float64),)
    assert feature_scores(spec.InputXGradient(), subject, ones, (GRID,)).tolist() == [[72.0] * 6] * 2  # type: ignore[union-attr]
    ablated = feature_scores(spec.FeatureAblation(), subject, ones, (GRID,))
    assert ablated is not None
    assert torch.allclose(ablated, torch.ones(2, 6, dtype=torch.float64))


def test_what_is_no_feature_stays() -> None:
    """Elements numbered -1, such as a text's frame, are never replaced."""
    engine = Engine(view_of(frozen(Linear())), batch_rows=4, threads=1).start()
    x = torch.ones(1, 5, dtype=torch.float64)
    units = (torch.tensor([[-1, 0, 1, 2, -1]]),)
    curves = audited(engine, spec.InputXGradient(), problem_of([x]), DeletionInsertion(), units=units).metrics()
    engine.stop()
    assert curves.deletion_insertion is not None
    assert curves.deletion_insertion.units == 3
    assert curves.deletion_insertion.examples[0].deletion.values[-1] == pytest.approx(2.0 - 3.0)


def test_insertion_may_start_from_elsewhere(engines: dict[str, Engine]) -> None:
    subject = toy_problem("mlp", 1, seed=2)
    start = Replacement("ones", (torch.ones(1, 6, dtype=torch.float64),))
    job = audited(engines["mlp"], spec.Saliency(), subject, DeletionInsertion(), start=start)
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
        job = audited(engines["conv"], method, subject, DeletionInsertion(n_steps=3))
        job.result()
        assert (job.report is not None) == covered  # type: ignore[attr-defined]
        if covered:
            assert job.report.deletion_insertion.units == 144  # type: ignore[attr-defined]
