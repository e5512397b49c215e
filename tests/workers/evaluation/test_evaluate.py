"""Metrics of one job, computed together."""

import math

import pytest
import torch

from schemas import methods as spec
from schemas.metric_requests import Infidelity, SensitivityMax
from tests.workers.evaluation.captum_cases import SEED
from tests.workers.evaluation.evaluated import evaluated, toy_problem
from tests.workers.toys import RunningJob
from workers.engine.engine import Engine
from workers.evaluation.evaluate import report_by_default
from workers.methods.outcome import Outcome


def test_metrics_do_not_change_each_other(engines: dict[str, Engine]) -> None:
    """Each draws from a stream of its own, so asking for more changes none."""
    subject = toy_problem("mlp", 2, seed=9)
    method = spec.GradientShap(n_samples=4, stdevs=0.2)
    both = evaluated(engines["mlp"], method, subject, SensitivityMax(), Infidelity(), seed=SEED).metrics()
    only = evaluated(engines["mlp"], method, subject, Infidelity(), seed=SEED)
    assert only.metrics().infidelity == both.infidelity
    assert torch.equal(
        only.result().attributions[0], RunningJob(engines["mlp"], method, subject, SEED).result().attributions[0]
    )


def outcome(delta: float, difference: float = 2.0) -> Outcome:
    outputs = torch.tensor([[1.0, 3.0]])
    return Outcome((torch.ones(1, 4),), outputs, [1], torch.tensor([delta]), torch.tensor([difference]))


def test_completeness_is_reported_unasked() -> None:
    report = report_by_default(outcome(delta=0.5))
    assert report is not None
    assert report.completeness is not None
    (metric,) = report.completeness
    assert (metric.attributions_sum, metric.outputs_difference, metric.error) == (2.5, 2.0, 0.5)
    assert (metric.relative_error, metric.output) == (0.25, 3.0)


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_no_completeness_is_reported_that_is_not_finite(wrong: float) -> None:
    assert report_by_default(outcome(delta=wrong)) is None
    assert report_by_default(outcome(delta=0.0, difference=wrong)) is None
