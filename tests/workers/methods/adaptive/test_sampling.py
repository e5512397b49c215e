"""Sampling methods with a `tolerance`: as many samples as the standard error asks for, and Captum's answer for them."""

from collections.abc import Iterator
from typing import Any

import captum.attr as captum
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from schemas.limits import NOISE_ROUND
from schemas.methods import AnyMethod, KernelShap, ShapleyValues, ShapleyValueSampling, SmoothGrad
from tests.workers.methods.captum_calls import direct, max_relative_difference
from tests.workers.toys import RunningJob, ToyConvNet, ToyMlp, ToyTwoInputs, frozen, problem_of, view_of
from workers.engine.engine import Engine
from workers.evaluation.attribution_warnings import completeness_warnings
from workers.methods.adaptive.moments import Moments, regression_errors
from workers.methods.explain_inputs import ExplainInputs
from workers.methods.outcome import Outcome

NAMES = ("kernel_shap", "shapley_value_sampling", "smooth_grad")


class Additive(nn.Module):
    """(rows, 5) -> (rows,): every order of the features, and every coalition, tells the same."""

    def forward(self, x: Tensor) -> Tensor:
        return (x * torch.arange(1.0, 6.0, dtype=x.dtype)).sum(dim=1)


@pytest.fixture
def run() -> Iterator[Any]:
    engines: list[Engine] = []

    def runner(
        model: nn.Module, method: AnyMethod, subject: ExplainInputs, seed: int = 0, batch_rows: int = 16
    ) -> Outcome:
        view = view_of(model, len(subject.inputs))
        engines.append(Engine(view, batch_rows=batch_rows, threads=1).start())
        return RunningJob(engines[-1], method, subject, seed).result()

    yield runner
    for engine in engines:
        engine.stop()


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def asked(name: str, samples: int, tolerance: float | None) -> AnyMethod:
    if name == "smooth_grad":
        return SmoothGrad(nt_samples=samples, stdevs=0.3, abs=False, tolerance=tolerance)
    kind = KernelShap if name == "kernel_shap" else ShapleyValueSampling
    return kind(n_samples=samples, tolerance=tolerance)


def captum_in_pairs(model: nn.Module, subject: ExplainInputs, count: int, seed: int) -> tuple[Tensor, ...]:
    """Captum's KernelSHAP, whose own generator is followed by complements."""
    shap = captum.KernelShap(model)
    single = shap.perturb_func

    def pairs(original: Any, **options: Any) -> Iterator[Tensor]:
        drawn = single(original, **options)
        yield next(drawn)
        yield next(drawn)
        for one in drawn:
            yield one
            yield 1 - one

    shap.perturb_func = pairs
    torch.manual_seed(seed)
    return shap.attribute(subject.inputs, subject.baselines, target=subject.targets[0], n_samples=count)


@pytest.mark.parametrize("name", NAMES)
def test_stops_below_the_tolerance_with_captums_answer(run: Any, name: str) -> None:
    model, subject = frozen(ToyMlp()), problem_of([draw(1, 6)], [1])
    outcome = run(model, asked(name, 900, 0.08), subject, seed=3)
    (count,), (error,) = outcome.convergence.counts, outcome.convergence.errors
    assert 8 <= count < 900
    assert error <= 0.08 == outcome.convergence.tolerance
    if name == "smooth_grad":  # Captum draws as many at a time when it is told to
        torch.manual_seed(3)
        expected = captum.NoiseTunnel(captum.Saliency(model)).attribute(
            subject.inputs, nt_samples=count, nt_samples_batch_size=NOISE_ROUND, stdevs=0.3, abs=False, target=1
        )
    elif name == "kernel_shap":
        expected = captum_in_pairs(model, subject, count, seed=3)
    else:
        expected = direct(asked(name, count, None), model, model, subject, seed=3)
    assert max_relative_difference(outcome.attributions, expected) < 1e-6  # Captum adds perturbations up in float32


@pytest.mark.parametrize("name", NAMES)
def test_a_smaller_tolerance_takes_more_and_the_most_is_kept(run: Any, name: str) -> None:
    model, subject = frozen(ToyMlp()), problem_of([draw(2, 6)], [1])
    counts = [max(run(model, asked(name, 64, t), subject).convergence.counts) for t in (0.5, 0.2, 1e-6)]
    assert counts == sorted(counts)
    assert counts[-1] == 64
    last = run(model, asked(name, 64, 1e-6), subject)
    (warning,) = completeness_warnings(asked(name, 64, 1e-6), last)
    assert "after 64 samples, above the tolerance" in warning


@pytest.mark.parametrize("name", NAMES)
def test_the_same_alone_and_beside_others(run: Any, name: str) -> None:
    model = frozen(ToyMlp())
    subjects = [problem_of([draw(1, 6, seed=k)], [k % 4]) for k in range(3)]
    alone = [run(model, asked(name, 200, 0.2), subject, seed=7, batch_rows=5) for subject in subjects]
    engine = Engine(view_of(model), batch_rows=16, threads=1).start()
    engine.hold()
    jobs = [RunningJob(engine, asked(name, 200, 0.2), subject, 7) for subject in subjects]
    engine.release()
    together = [job.result() for job in jobs]
    engine.stop()
    for one, other in zip(alone, together, strict=True):
        assert one.convergence.counts == other.convergence.counts
        assert max_relative_difference(one.attributions, other.attributions) < 1e-9


def test_additive_models_need_no_more_than_a_look(run: Any) -> None:
    subject = problem_of([draw(1, 5)])
    for name, least in (("shapley_value_sampling", 8), ("kernel_shap", 16)):
        outcome = run(Additive(), asked(name, 500, 0.01), subject)
        assert outcome.convergence.counts == [least]
        assert torch.allclose(outcome.attributions[0].double(), subject.inputs[0] * torch.arange(1.0, 6.0), rtol=1e-4)


@pytest.mark.parametrize("name", ["kernel_shap", "shapley_value_sampling"])
def test_the_error_told_is_the_error_made(run: Any, name: str) -> None:
    """Over many seeds, the largest distance from the exact Shapley values is about the standard error told."""
    model, subject = frozen(ToyMlp()), problem_of([draw(1, 6, seed=4)], [2])
    exact = run(model, ShapleyValues(), subject).attributions[0].double()
    ratios = []
    for seed in range(12):
        outcome = run(model, asked(name, 1000, 0.1), subject, seed)
        made = float((outcome.attributions[0].double() - exact).abs().max() / exact.abs().max())
        ratios.append(made / outcome.convergence.errors[0])
    assert 0.3 < np.median(ratios) < 2.0
    assert max(ratios) < 5.0


def test_squares_pictures_and_several_inputs(run: Any) -> None:
    squares = SmoothGrad(nt_type="smoothgrad_sq", nt_samples=400, stdevs=0.2, tolerance=0.05, abs=False)
    outcome = run(frozen(ToyConvNet()), squares, problem_of([draw(2, 3, 12, 12)], [1, 3]))
    assert outcome.attributions[0].shape == (2, 3, 12, 12)
    assert bool((outcome.attributions[0] >= 0).all())
    path = SmoothGrad(attribution_method="integrated_gradients", n_steps=5, nt_samples=80, stdevs=0.1, tolerance=0.1)
    outcome = run(frozen(ToyTwoInputs()), path, problem_of([draw(2, 3), draw(2, 2, seed=1)], [1]))
    assert [tuple(a.shape) for a in outcome.attributions] == [(2, 3), (2, 2)]
    assert outcome.convergence.counts[0] < 80


def test_moments_are_numpys() -> None:
    samples = draw(9, 2, 4)
    moments = Moments()
    for sample in samples:
        moments.add((sample[:, :3], sample[:, 3:]))
    errors = samples.numpy().std(axis=0, ddof=1) / 3
    largest = np.abs(samples.numpy().mean(axis=0)).max(axis=1)
    assert torch.allclose(torch.cat(moments.mean(), dim=1), samples.mean(dim=0))
    assert moments.largest_error() == pytest.approx(errors.max(axis=1) / largest)
    assert moments.mean_error() == pytest.approx(np.sqrt((errors**2).mean(axis=1)) / largest)


def test_too_few_coalitions_say_nothing() -> None:
    coalitions = np.array([[1, 1, 1, 1], [0, 0, 0, 0], *[[1, 0, 0, 0], [0, 1, 1, 1]] * 3], dtype=float)
    assert regression_errors(coalitions, np.array([3.0, 0.0, *[1.0, 2.0] * 3])) == np.inf


def test_a_fit_through_all_of_its_points_says_nothing() -> None:
    """Three pairs determine three unknowns, whatever the outputs: no residual is left."""
    pairs = [member for one in np.eye(4)[:3] for member in (one, 1 - one)]
    coalitions = np.array([np.ones(4), np.zeros(4), *pairs, *pairs])
    outputs = draw(6).tolist()
    assert regression_errors(coalitions, np.array([3.0, 0.0, *outputs, *outputs])) == np.inf


def test_two_features_have_one_pair_which_tells_all() -> None:
    coalitions = np.array([[1, 1], [0, 0], [1, 0], [0, 1]], dtype=float)
    assert regression_errors(coalitions, np.array([3.0, 0.0, 1.0, 1.5])) == 0.0
