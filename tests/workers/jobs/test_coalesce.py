"""Jobs that ask the same, run as one Captum call: each has the answer it has alone, and fails alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from captum.attr._utils.approximation_methods import approximation_parameters
from safetensors.torch import load, save
from torch import Tensor

from schemas.errors import InputRejected, JobCancelled, JobFailed
from schemas.jobs import JobSpec
from schemas.methods import GradientShap, InputXGradient, IntegratedGradients, Saliency, stored_fields
from tests.workers.toys import CPU
from workers.engine.engine import Engine
from workers.engine.gate import DeviceGate
from workers.engine.task import Task
from workers.jobs.coalesce import SHORT_S, answer_together, group_key, short_rows
from workers.jobs.result import Answer, Asked, answer
from workers.models.pipeline import load_model
from workers.models.resident import Device, ResidentModel

MODEL = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 9), nn.Tanh(), nn.Linear(9, 3))

    def forward(self, x):
        if (x == 99).any():
            raise ValueError("no 99")
        return self.body(x)

def build():
    torch.manual_seed(0)
    return Net()
"""
TOML = """
name = "net"
factory = "model.py:build"
input = {kind = "tensor", shapes = [[4]], dtype = "float64"}
"""
IG = IntegratedGradients(n_steps=20)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ResidentModel]:
    folder: Path = tmp_path_factory.mktemp("net")
    (folder / "model.py").write_text(MODEL)
    (folder / "model.toml").write_text(TOML)
    loaded = load_model(folder, Device(CPU, 1, 16, DeviceGate()))
    loaded.engine.start()
    yield loaded
    loaded.engine.stop()


def spec(method: Any, examples: int = 1, **given: Any) -> JobSpec:
    fields = {"input_kind": "tensor", "examples": examples, "method": stored_fields(method), "rows": 22, **given}
    return JobSpec(model="net", version="1", **fields)


def asked(name: str, x: Tensor, method: Any, **given: Any) -> tuple[Asked, Task]:
    return Asked(name, spec(method, len(x), **given), save({"input.0": x}), 1.0), Task(name)


@pytest.mark.parametrize("method", [IG, Saliency(), InputXGradient()], ids=lambda m: m.name)
def test_each_has_the_answer_that_it_has_alone(model: ResidentModel, method: Any) -> None:
    inputs = torch.randn(9, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    jobs = [
        asked("a", inputs[:1], method, target=[2]),
        asked("b", inputs[1:2], method),  # the predicted class
        asked("c", inputs[2:4], method, target=[1]),  # one target for both examples
        asked("d", inputs[4:6], method, target=[0, 2]),
        *(asked(f"e{k}", inputs[k : k + 1], method, target=[0]) for k in range(6, 9)),
    ]
    passes = model.engine.stats.passes
    together = answer_together(model, jobs)
    passes = model.engine.stats.passes - passes
    alone_passes = 0
    for (job, task), found in zip(jobs, together, strict=True):
        by_itself = Task(job.job_id)
        alone = answer(model, by_itself, job.job_id, job.spec, job.payload, job.queued_ms)
        alone_passes += by_itself.passes
        assert isinstance(found, Answer), found
        torch.testing.assert_close(load(found.tensors)["input"], load(alone.tensors)["input"], rtol=0, atol=1e-12)
        fields = {"timing", "predictions", "convergence_delta", "quality"}
        assert found.meta.model_dump(exclude=fields) == alone.meta.model_dump(exclude=fields)
        assert found.meta.timing.rows == task.rows == by_itself.rows
        for one, other in zip(found.meta.predictions, alone.meta.predictions, strict=True):
            assert [p.index for p in one] == [p.index for p in other]
        if alone.meta.convergence_delta is not None:
            assert found.meta.convergence_delta == pytest.approx(alone.meta.convergence_delta, abs=1e-12)
        metrics = [meta.quality and meta.quality.completeness for meta in (found.meta, alone.meta)]
        assert (metrics[0] is None) == (metrics[1] is None) == (alone.meta.convergence_delta is None)
        for one, other in zip(*(metric or [] for metric in metrics), strict=True):
            assert one.model_dump() == pytest.approx(other.model_dump(), abs=1e-9)
    assert passes < alone_passes


def test_a_result_says_where_its_time_went(model: ResidentModel) -> None:
    job, task = asked("job", torch.rand(1, 4, dtype=torch.float64), IG, target=[1])
    alone = answer(model, task, job.job_id, job.spec, job.payload, job.queued_ms).meta.timing
    assert (alone.queued_ms, alone.rows, alone.passes) == (1.0, 22, 3)  # both ends, then 20 steps in passes of 16
    assert alone.fill == pytest.approx(22 / (3 * 16), abs=1e-3)
    assert 0 < alone.pass_ms <= alone.pass_ms + alone.wait_ms <= alone.run_ms + 0.01
    grouped = answer_together(model, [asked(str(k), torch.rand(1, 4, dtype=torch.float64), IG) for k in range(8)])
    for one in grouped:
        assert isinstance(one, Answer)
        assert (one.meta.timing.rows, one.meta.timing.passes) == (22, 11)
        assert one.meta.timing.fill == 1.0


@pytest.mark.parametrize("count", [1, 2, 7, 50])
def test_the_nodes_are_captums(count: int) -> None:
    nodes, weights = np.polynomial.legendre.leggauss(count)
    for _ in range(2):
        step_sizes, alphas = approximation_parameters("gausslegendre")
        assert (step_sizes(count), alphas(count)) == (list(0.5 * weights), list(0.5 * (1 + nodes)))


def test_what_fails_fails_alone(model: ResidentModel) -> None:
    good = torch.rand(1, 4, dtype=torch.float64)
    jobs = [
        asked("good", good, IG, target=[1]),
        asked("raises", torch.full((1, 4), 99.0, dtype=torch.float64), IG, target=[1]),
        asked("cancelled", good, IG, target=[1]),
        asked("too wide", good, IG, target=[1]),
        asked("also good", good, IG, target=[1]),
    ]
    jobs[2][1].cancelled.set()
    jobs[3] = (Asked("unread", jobs[3][0].spec, save({"input.0": torch.rand(1, 4)})[:-4], 0.0), Task("unread"))
    found = answer_together(model, jobs)
    kinds = [type(one) for one in found]
    assert kinds[0] is kinds[4] is Answer
    assert kinds[1:3] == [JobFailed, JobCancelled]
    assert isinstance(found[3], Exception)
    assert not isinstance(found[3], InputRejected | JobCancelled)
    assert isinstance(found[0], Answer)
    assert isinstance(found[4], Answer)
    assert found[0].tensors == found[4].tensors


def test_only_rows_that_cost_little_are_worth_it(model: ResidentModel) -> None:
    assert short_rows(Engine(model.engine.view, batch_rows=16)) == 0  # nothing is known yet
    answer_together(model, [asked("job", torch.rand(1, 4, dtype=torch.float64), IG, target=[1])])
    stats = model.engine.stats
    assert short_rows(model.engine) * stats.seconds / stats.rows == pytest.approx(SHORT_S, rel=0.2)


def test_what_may_run_together() -> None:
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
