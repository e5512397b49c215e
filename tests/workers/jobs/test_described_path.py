"""A job that wants frames: its path in the result, alone, not coalesced, and within memory."""

import torch
from safetensors.torch import load

from schemas.methods import IntegratedGradients
from tests.workers.jobs.claims import claimed
from tests.workers.jobs.net import spec
from tests.workers.toys import problem_of
from workers.jobs.coalesce import group_key
from workers.jobs.single import run_single
from workers.methods.memory_budget import expanded_bytes
from workers.models.resident import ResidentModel

X = torch.tensor([[0.5, -1.0, 2.0, 0.25], [1.0, 0.0, -1.0, 3.0]], dtype=torch.float64)


def test_the_path_of_a_job(model: ResidentModel) -> None:
    result = run_single(
        model, claimed(spec(IntegratedGradients(n_steps=20, frames=6), 2, target=[1, 2]), {"input.0": X})
    )
    path, tensors = result.meta.path, load(result.tensors)
    assert path is not None
    assert [(one.name, one.datatype, one.shape) for one in path.attributions] == [("path.input", "FP64", [2, 6, 4])]
    assert set(tensors) == {"input", "path.input"}
    assert torch.equal(tensors["path.input"][:, -1], tensors["input"])
    module = model.engine.view.module
    for example, points in enumerate(path.examples):
        target = example + 1
        assert torch.allclose(
            torch.tensor(points.sums, dtype=torch.float64), tensors["path.input"][example].sum(dim=1), atol=1e-12
        )
        at = module(torch.tensor(points.alphas, dtype=torch.float64)[:, None] * X[example])[:, target]
        assert torch.allclose(torch.tensor(points.outputs, dtype=torch.float64), at, atol=1e-12)
        ends = module(torch.stack([torch.zeros(4, dtype=torch.float64), X[example]]))[:, target].tolist()
        assert points.baseline_output is not None
        assert abs(points.baseline_output - ends[0]) < 1e-9
        assert abs(points.input_output - ends[1]) < 1e-9
        assert abs(points.sums[-1] - (ends[1] - ends[0])) < 1e-3 * abs(ends[1] - ends[0])
    assert result.meta.timing.rows == 2 * 22


def test_without_frames_there_is_none(model: ResidentModel) -> None:
    result = run_single(model, claimed(spec(IntegratedGradients(n_steps=20), target=[1]), {"input.0": X[:1]}))
    assert result.meta.path is None
    assert set(load(result.tensors)) == {"input"}


def test_jobs_with_frames_run_by_themselves() -> None:
    assert group_key(spec(IntegratedGradients(n_steps=20))) is not None
    assert group_key(spec(IntegratedGradients(n_steps=20, frames=1))) is None


def test_points_are_charged() -> None:
    subject = problem_of([X], [1, 2])
    for steps in (20, "auto"):
        plain, traced = (
            expanded_bytes(IntegratedGradients(n_steps=steps, frames=frames), subject, 16) for frames in (0, 32)
        )
        assert traced - plain == X.numel() * 8 * 32
