"""A seed gives one answer, whatever runs beside it, however its rows are cut."""

import pytest
import torch

from schemas.methods import AnyMethod, GradientShap, IntegratedGradients, SmoothGrad
from tests.workers.captum_calls import direct
from tests.workers.toys import RunningJob, ToyMlp, frozen, problem_of, view_of
from workers.engine.engine import Engine

METHODS: list[AnyMethod] = [GradientShap(n_samples=20, stdevs=0.2), SmoothGrad(nt_samples=20, stdevs=0.2)]


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
def test_a_seed_is_an_answer(method: AnyMethod) -> None:
    model = frozen(ToyMlp())
    generator = torch.Generator().manual_seed(0)
    problem = problem_of(
        [torch.randn(2, 6, generator=generator, dtype=torch.float64)],
        [1, 3],
        distribution=[torch.randn(5, 6, generator=generator, dtype=torch.float64)],
    )
    answers = {}
    for batch_rows in (3, 16, 64):
        engine = Engine(view_of(model), batch_rows=batch_rows, threads=1).start()
        others = [RunningJob(engine, METHODS[k % 2], problem, seed=100 + k) for k in range(6)]
        others.append(RunningJob(engine, IntegratedGradients(), problem))
        for seed in (1, 2):
            jobs = [RunningJob(engine, method, problem, seed=seed) for _ in range(3)]
            for job in jobs:
                answers.setdefault(seed, []).append(job.result().attributions[0])
        for other in others:
            other.result()
        engine.stop()
    for seed, tensors in answers.items():
        expected = direct(method, model, model, problem, seed)[0]
        assert all(torch.allclose(t, expected, rtol=1e-9, atol=1e-12) for t in tensors)
    assert not torch.allclose(answers[1][0], answers[2][0])
