"""Metrics of one job, computed together."""

import torch

from schemas import methods as spec
from schemas.metric_requests import Infidelity, SensitivityMax
from tests.workers.evaluation.captum_cases import SEED
from tests.workers.evaluation.evaluated import evaluated, toy_problem
from tests.workers.toys import RunningJob
from workers.engine.engine import Engine


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
