"""One job by itself: explained, evaluated and described; memory is lent for as long as it runs."""

import pytest
import torch
from safetensors.torch import load

from schemas.errors import JobCancelled, JobFailed
from schemas.methods import InputXGradient, IntegratedGradients, KernelShap, stored_fields
from schemas.metric_requests import Infidelity
from tests.workers.jobs.claims import claimed
from tests.workers.jobs.net import RAISES_AT, example, spec
from workers.jobs.single import run_single
from workers.models.load import ResidentModel

X = torch.tensor([[0.5, -1.0, 2.0, 0.25]], dtype=torch.float64)


def test_the_result_is_that_of_the_method(model: ResidentModel) -> None:
    result = run_single(model, claimed(spec(InputXGradient(), target=[2]), {"input.0": X}))
    x = X.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(model.engine.view.module(x)[0, 2], x)
    assert torch.allclose(load(result.tensors)["input"], X * gradient, rtol=0, atol=1e-12)
    assert result.meta.timing.rows == 1


def test_the_predicted_class_is_explained_by_default(model: ResidentModel) -> None:
    with torch.no_grad():
        predicted = int(model.engine.view.module(X).argmax())
    meta = run_single(model, claimed(spec(InputXGradient()), {"input.0": X})).meta
    assert meta.target is not None
    assert meta.target[0].index == predicted == meta.predictions[0][0].index


def test_requested_metrics_are_part_of_the_result(model: ResidentModel) -> None:
    job = spec(IntegratedGradients(n_steps=20), target=[1], quality=[stored_fields(Infidelity())])
    quality = run_single(model, claimed(job, {"input.0": X})).meta.quality
    assert quality is not None
    assert quality.infidelity is not None
    assert quality.completeness is not None


def test_the_seed_decides_what_is_drawn(model: ResidentModel) -> None:
    tensors = [
        load(run_single(model, claimed(spec(KernelShap(n_samples=8), target=[1], seed=seed), {"input.0": X})).tensors)
        for seed in (1, 1, 2)
    ]
    assert torch.equal(tensors[0]["input"], tensors[1]["input"])
    assert not torch.equal(tensors[0]["input"], tensors[2]["input"])


def test_memory_is_returned_when_a_job_fails(model: ResidentModel) -> None:
    job = claimed(spec(IntegratedGradients(n_steps=20), target=[1]), {"input.0": example(RAISES_AT)})
    with pytest.raises(JobFailed, match="ValueError"):
        run_single(model, job)
    with model.memory.lend(1 << 62):  # all of it
        pass


def test_a_cancelled_job_is_not_computed(model: ResidentModel) -> None:
    job = claimed(spec(IntegratedGradients(n_steps=20), target=[1]), {"input.0": X})
    job.task.cancelled.set()
    with pytest.raises(JobCancelled):
        run_single(model, job)
    assert job.task.rows == 0
