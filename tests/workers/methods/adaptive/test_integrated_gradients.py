"""Integrated Gradients with `"n_steps": "auto"`: few rows, on the path, and the same answer as very many."""

from collections.abc import Iterator

import pytest
import torch
from captum.attr import IntegratedGradients as CaptumIG
from torch import Tensor, nn

from schemas.limits import MAX_AUTO_STEPS
from schemas.methods import IntegratedGradients
from tests.workers.toys import RunningJob, ToyConvNet, ToyMlp, ToyScalar, ToyTwoInputs, frozen, problem_of, view_of
from workers.engine.engine import Engine
from workers.evaluation.attribution_warnings import completeness_warnings
from workers.methods.outcome import Outcome


class Recording(nn.Module):
    """Keeps the first input of every row."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.rows: list[Tensor] = []

    def forward(self, *inputs: Tensor) -> Tensor:
        self.rows += list(inputs[0].detach())
        return self.model(*inputs)


class Gelu(nn.Module):
    """(rows, 6) -> (rows, 3), smooth."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(6, 9), nn.GELU(), nn.Linear(9, 9), nn.Softplus(), nn.Linear(9, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class Rough(nn.Module):
    """(rows, 3) -> (rows,): a gradient that says nothing of the output."""

    def forward(self, x: Tensor) -> Tensor:
        return (x - x.detach()).sum(dim=1) + 5.0 * x.detach().sum(dim=1).round()


@pytest.fixture
def run() -> Iterator[object]:
    engines: list[Engine] = []

    def runner(model: nn.Module, inputs: list[Tensor], targets: list[int] | None, **parameters: object) -> Outcome:
        engines.append(Engine(view_of(model, len(inputs)), batch_rows=16, threads=1).start())
        method = IntegratedGradients(n_steps="auto", **parameters)
        return RunningJob(engines[-1], method, problem_of(inputs, targets)).result()

    yield runner
    for engine in engines:
        engine.stop()


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def apart(attributions: tuple[Tensor, ...], expected: tuple[Tensor, ...]) -> float:
    return max(float((a - e).abs().max() / e.abs().max()) for a, e in zip(attributions, expected, strict=True))


@pytest.mark.parametrize(
    ("model", "shapes", "target"),
    [
        (Gelu(), [(3, 6)], [0, 2, 1]),
        (ToyScalar(), [(3, 6)], None),
        (ToyTwoInputs(), [(3, 3), (3, 2)], [1, 1, 0]),
    ],
    ids=["gelu", "scalar", "two inputs"],
)
@pytest.mark.parametrize("multiply", [True, False])
def test_a_small_tolerance_is_captum_with_many_steps(
    run: object, model: nn.Module, shapes: list[tuple[int, ...]], target: list[int] | None, multiply: bool
) -> None:
    model = frozen(model)
    inputs = [draw(*shape, seed=i) for i, shape in enumerate(shapes)]
    outcome = run(model, inputs, target, tolerance=1e-6, multiply_by_inputs=multiply)
    captum = CaptumIG(model, multiply_by_inputs=multiply)
    expected = captum.attribute(tuple(inputs), target=target, n_steps=300)
    assert apart(outcome.attributions, expected) < 1e-5  # Captum's own weights are float32
    assert max(outcome.convergence.counts) < 100
    assert (outcome.delta is not None) == multiply


@pytest.mark.parametrize(("model", "shape"), [(ToyMlp(), (4, 6)), (ToyConvNet(), (4, 3, 12, 12))], ids=["mlp", "conv"])
def test_rows_lie_on_the_path_and_are_told(run: object, model: nn.Module, shape: tuple[int, ...]) -> None:
    recording = Recording(frozen(model))
    inputs = draw(*shape)
    outcome = run(recording, [inputs], [0, 1, 2, 3])
    counts = outcome.convergence.counts
    assert len(recording.rows) == sum(counts) + 2 * len(inputs)  # and both ends of each path
    along = torch.stack([row.flatten() for row in recording.rows]) @ inputs.flatten(1).T
    alphas, owners = (along / inputs.flatten(1).square().sum(dim=1)).clamp(0, 1), []
    for row, point in zip(recording.rows, alphas, strict=True):
        distances = [(row - a * x).abs().max() for a, x in zip(point, inputs, strict=True)]
        owners.append(int(torch.stack(distances).argmin()))
        assert min(distances) < 1e-12  # a point between the baseline, zero, and one of the inputs
    for example, count in enumerate(counts):
        own = [
            tuple(row.flatten().tolist()) for row, owner in zip(recording.rows, owners, strict=True) if owner == example
        ]
        assert len(set(own)) >= count  # no point is computed twice


def test_the_sum_is_within_the_tolerance(run: object) -> None:
    model = frozen(ToyConvNet())
    inputs = draw(5, 3, 12, 12, seed=3)
    for tolerance in (0.1, 0.01, 0.001):
        outcome = run(model, [inputs], [1], tolerance=tolerance)
        errors = outcome.delta.abs() / outcome.difference.abs()
        assert float(errors.max()) <= tolerance * 1.0001
        assert outcome.convergence.errors == pytest.approx(errors.tolist(), abs=1e-9)
        assert outcome.convergence.tolerance == tolerance
        assert completeness_warnings(IntegratedGradients(n_steps="auto"), outcome) == []


def test_examples_refine_as_they_would_alone(run: object) -> None:
    model = frozen(ToyConvNet())
    inputs = draw(4, 3, 12, 12, seed=5)
    together = run(model, [inputs], [2])
    for example in range(4):
        alone = run(model, [inputs[example : example + 1]], [2])
        assert alone.convergence.counts == [together.convergence.counts[example]]
        assert apart(alone.attributions, (together.attributions[0][example : example + 1],)) < 1e-9


def test_examples_that_do_not_fit_together_wait(run: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory for one path at a time changes nothing but the order of rows."""
    model = Recording(frozen(ToyConvNet()))
    inputs = draw(3, 3, 12, 12, seed=5)
    together = run(model, [inputs], [2])
    at_once = len(model.rows)
    monkeypatch.setattr(
        "workers.methods.adaptive.integrated_gradients.MAX_PATH_BYTES", MAX_AUTO_STEPS * inputs[0].numel() * 8
    )
    one_by_one = run(model, [inputs], [2])
    assert len(model.rows) == 2 * at_once
    assert one_by_one.convergence == together.convergence
    assert apart(one_by_one.attributions, together.attributions) < 1e-9


def test_an_input_that_is_the_baseline_takes_one_round(run: object) -> None:
    outcome = run(frozen(ToyMlp()), [torch.zeros(1, 6, dtype=torch.float64)], [0])
    assert outcome.convergence.counts == [3]
    assert not outcome.attributions[0].any()


def test_what_cannot_converge_stops_and_says_so(run: object) -> None:
    outcome = run(Rough(), [torch.tensor([[0.4, 0.9, 1.3]], dtype=torch.float64)], None)
    assert outcome.convergence.counts[0] <= MAX_AUTO_STEPS
    (warning,) = completeness_warnings(IntegratedGradients(n_steps="auto"), outcome)
    assert "above the tolerance of 0.01" in warning
