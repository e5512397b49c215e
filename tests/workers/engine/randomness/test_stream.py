"""A seed gives one answer, whatever runs beside it, however its rows are cut, and in whichever process."""

import subprocess
import sys

import pytest
import torch

from schemas import methods as spec
from schemas.methods import AnyMethod, IntegratedGradients
from tests.paths import ROOT
from tests.workers.methods.captum_calls import direct
from tests.workers.toys import RunningJob, ToyMlp, frozen, problem_of, view_of
from workers.engine.engine import Engine
from workers.methods.explain_inputs import ExplainInputs

METHODS: list[AnyMethod] = [
    spec.GradientShap(n_samples=20, stdevs=0.2),
    spec.SmoothGrad(nt_samples=20, stdevs=0.2),
    spec.SmoothGrad(attribution_method="integrated_gradients", n_steps=10, nt_samples=7, stdevs=0.2),
    spec.FeaturePermutation(),
    spec.ShapleyValueSampling(n_samples=9),
    spec.KernelShap(n_samples=40),
    spec.Lime(n_samples=40),
    spec.LayerFeaturePermutation(layer="second"),
    spec.LayerGradientShap(layer="second", n_samples=12, stdevs=0.1),
    spec.NeuronGradientShap(layer="second", neuron_selector=3, n_samples=12, stdevs=0.1),
]
BATCHES = (3, 16, 64)  # rows: jobs are cut into many passes, into some, or not at all
ELSEWHERE = """
from tests.workers.engine.randomness.test_stream import METHODS, answer
for method in METHODS:
    print(answer(method, seed=1, batch_rows=7).tolist())
"""


def a_problem() -> ExplainInputs:
    generator = torch.Generator().manual_seed(0)
    return problem_of(
        [torch.randn(4, 6, generator=generator, dtype=torch.float64)],  # two could only be exchanged in one way
        [1, 3, 0, 2],
        baseline_distribution=[torch.randn(5, 6, generator=generator, dtype=torch.float64)],
    )


def answer(method: AnyMethod, seed: int, batch_rows: int) -> torch.Tensor:
    """Of a job alone in an engine of its own."""
    engine = Engine(view_of(frozen(ToyMlp())), batch_rows=batch_rows, threads=1).start()
    try:
        return RunningJob(engine, method, a_problem(), seed=seed).result().attributions[0]
    finally:
        engine.stop()


def same(a: torch.Tensor, b: torch.Tensor) -> bool:
    return torch.allclose(a, b, rtol=1e-9, atol=1e-12)


def test_every_method_that_draws_is_here() -> None:
    assert {method.name for method in METHODS} == {name for name, cls in spec.METHODS.items() if cls.draws}


@pytest.mark.parametrize("method", METHODS, ids=str)
def test_a_seed_is_an_answer(method: AnyMethod) -> None:
    model, subject = frozen(ToyMlp()), a_problem()
    answers: dict[int, list[torch.Tensor]] = {1: [], 2: []}
    for batch_rows in BATCHES:
        engine = Engine(view_of(model), batch_rows=batch_rows, threads=1).start()
        others = [RunningJob(engine, METHODS[k % len(METHODS)], subject, seed=100 + k) for k in range(6)]
        others.append(RunningJob(engine, IntegratedGradients(), subject))
        for seed, tensors in answers.items():
            jobs = [RunningJob(engine, method, subject, seed=seed) for _ in range(3)]
            tensors += [job.result().attributions[0] for job in jobs]
        for other in others:
            other.result()
        engine.stop()
    for seed, tensors in answers.items():
        expected = direct(method, model, model, subject, seed)[0]
        assert all(same(tensor, expected) for tensor in tensors)
    assert not same(answers[1][0], answers[2][0])


def test_another_process_gives_the_same() -> None:
    script = [sys.executable, "-c", ELSEWHERE]
    root = ROOT
    printed = subprocess.run(script, cwd=root, capture_output=True, text=True, check=True, timeout=120).stdout
    lines = printed.strip().splitlines()
    for method, line in zip(METHODS, lines, strict=True):
        numbers = [float(part) for part in line.replace("[", "").replace("]", "").split(",")]
        elsewhere = torch.tensor(numbers, dtype=torch.float64)
        assert same(answer(method, seed=1, batch_rows=16).flatten().double(), elsewhere), str(method)
