"""Coalesced jobs: each has the result that it has alone, and fails alone."""

from typing import Any

import numpy as np
import pytest
import torch
from captum.attr._utils.approximation_methods import approximation_parameters
from safetensors.torch import load, save
from torch import Tensor

from schemas.errors import JobCancelled, JobFailed, Unreadable
from schemas.methods import GradientShap, InputXGradient, IntegratedGradients, Saliency
from tests.workers.jobs.claims import claimed
from tests.workers.jobs.net import RAISES_AT, example, spec
from workers.engine.engine import Engine
from workers.jobs.coalesce import coalescible_rows, group_key, run_coalesced
from workers.jobs.job import ClaimedJob, FailedJob, JobEnd, JobResult
from workers.jobs.single import run_single
from workers.jobs.tuning import COALESCED_RUN_S
from workers.models.resident import ResidentModel

IG = IntegratedGradients(n_steps=20)


def job(name: str, x: Tensor, method: Any, **given: Any) -> ClaimedJob:
    return claimed(spec(method, len(x), **given), {"input.0": x}, name)


def ends_of(model: ResidentModel, jobs: list[ClaimedJob]) -> dict[str, JobEnd]:
    ends = run_coalesced(model, jobs)
    assert len(ends) == len(jobs)
    return {end.job.id: end for end in ends}


@pytest.mark.parametrize("method", [IG, Saliency(), InputXGradient()], ids=lambda m: m.name)
def test_each_has_the_result_that_it_has_alone(model: ResidentModel, method: Any) -> None:
    inputs = torch.randn(9, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    jobs = [
        job("a", inputs[:1], method, target=[2]),
        job("b", inputs[1:2], method),  # the predicted class
        job("c", inputs[2:4], method, target=[1]),  # one target for both examples
        job("d", inputs[4:6], method, target=[0, 2]),
        *(job(f"e{k}", inputs[k : k + 1], method, target=[0]) for k in range(6, 9)),
    ]
    passes = model.engine.stats.passes
    ends = ends_of(model, jobs)
    passes = model.engine.stats.passes - passes
    alone_passes = 0
    for one in jobs:
        found = ends[one.id]
        by_itself = ClaimedJob(one.claim)
        alone = run_single(model, by_itself)
        alone_passes += by_itself.task.passes
        assert isinstance(found, JobResult), found
        torch.testing.assert_close(load(found.tensors)["input"], load(alone.tensors)["input"], rtol=0, atol=1e-12)
        fields = {"timing", "predictions", "convergence_delta", "quality"}
        assert found.meta.model_dump(exclude=fields) == alone.meta.model_dump(exclude=fields)
        assert found.meta.timing.rows == one.task.rows == by_itself.task.rows
        for mine, other in zip(found.meta.predictions, alone.meta.predictions, strict=True):
            assert [p.index for p in mine] == [p.index for p in other]
        if alone.meta.convergence_delta is not None:
            assert found.meta.convergence_delta == pytest.approx(alone.meta.convergence_delta, abs=1e-12)
        metrics = [meta.quality and meta.quality.completeness for meta in (found.meta, alone.meta)]
        assert (metrics[0] is None) == (metrics[1] is None) == (alone.meta.convergence_delta is None)
        for mine, other in zip(*(metric or [] for metric in metrics), strict=True):
            assert mine.model_dump() == pytest.approx(other.model_dump(), abs=1e-9)
    assert passes < alone_passes


def test_a_result_says_where_its_time_went(model: ResidentModel) -> None:
    alone = run_single(model, job("job", torch.rand(1, 4, dtype=torch.float64), IG, target=[1])).meta.timing
    assert (alone.queued_ms, alone.rows, alone.passes) == (1.0, 22, 3)  # both ends, then 20 steps in passes of 16
    assert alone.fill == pytest.approx(22 / (3 * 16), abs=1e-3)
    assert 0 < alone.pass_ms <= alone.pass_ms + alone.wait_ms <= alone.run_ms + 0.01
    for end in run_coalesced(model, [job(str(k), torch.rand(1, 4, dtype=torch.float64), IG) for k in range(8)]):
        assert isinstance(end, JobResult)
        assert (end.meta.timing.rows, end.meta.timing.passes) == (22, 11)
        assert end.meta.timing.fill == 1.0


@pytest.mark.parametrize("count", [1, 2, 7, 50])
def test_the_nodes_are_captums(count: int) -> None:
    nodes, weights = np.polynomial.legendre.leggauss(count)
    for _ in range(2):
        step_sizes, alphas = approximation_parameters("gausslegendre")
        assert (step_sizes(count), alphas(count)) == (list(0.5 * weights), list(0.5 * (1 + nodes)))


def test_what_fails_fails_alone(model: ResidentModel) -> None:
    good = torch.rand(1, 4, dtype=torch.float64)
    truncated = save({"input.0": torch.rand(1, 4)})[:-4]
    of_another_kind = save({"pixels": torch.zeros(4, 4, 3, dtype=torch.uint8)})
    jobs = [
        job("good", good, IG, target=[1]),
        job("raises", example(RAISES_AT), IG, target=[1]),
        job("cancelled", good, IG, target=[1]),
        claimed(spec(IG, target=[1]), truncated, "truncated"),
        claimed(spec(IG, target=[1]), of_another_kind, "of another kind"),
        job("also good", good, IG, target=[1]),
    ]
    jobs[2].task.cancelled.set()
    ends = ends_of(model, jobs)
    results = [ends[name] for name in ("good", "also good")]
    assert isinstance(results[0], JobResult)
    assert isinstance(results[1], JobResult)
    assert results[0].tensors == results[1].tensors
    errors = {name: end.error for name, end in ends.items() if isinstance(end, FailedJob)}
    assert {name: type(error) for name, error in errors.items()} == {
        "raises": JobFailed,
        "cancelled": JobCancelled,
        "truncated": Unreadable,
        "of another kind": Unreadable,
    }


def test_only_rows_that_cost_little_are_coalesced(model: ResidentModel) -> None:
    assert coalescible_rows(Engine(model.engine.view, batch_rows=16)) == 0  # no pass has been measured
    run_coalesced(model, [job("job", torch.rand(1, 4, dtype=torch.float64), IG, target=[1])])
    stats = model.engine.stats
    assert coalescible_rows(model.engine) * stats.seconds / stats.rows == pytest.approx(COALESCED_RUN_S, rel=0.2)


def test_jobs_of_equal_parameters_share_a_group() -> None:
    assert group_key(spec(IG)) == group_key(spec(IG, 2, target=[1, 1], rows=44))
    others = [
        spec(IntegratedGradients(n_steps=21)),
        spec(Saliency()),
        spec(IG, priority="batch"),
        spec(IG, input_kind="features"),
        spec(IG).model_copy(update={"version": "2"}),
    ]
    keys = [group_key(one) for one in [spec(IG), *others]]
    assert len(set(keys)) == len(keys)
    assert group_key(spec(GradientShap())) is None  # draws
    assert group_key(spec(IntegratedGradients(n_steps="auto"))) is None
