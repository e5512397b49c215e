"""The points of Integrated Gradients' path: Captum's own partial sums, and no row more than without them."""

from collections.abc import Iterator

import pytest
import torch
from captum.attr import IntegratedGradients as CaptumIG
from captum.attr._utils.approximation_methods import approximation_parameters
from torch import Tensor, nn

from schemas.methods import IntegratedGradients
from tests.workers.toys import RunningJob, ToyConvNet, ToyScalar, ToyTwoInputs, frozen, problem_of, view_of
from workers.engine.engine import Engine
from workers.methods.outcome import Outcome
from workers.methods.path_sums import last_nodes

CASES = [
    (frozen(ToyConvNet()), [(2, 3, 12, 12)], [4, 1]),
    (frozen(ToyScalar()), [(3, 6)], None),
    (frozen(ToyTwoInputs()), [(3, 3), (3, 2)], [1, 1, 0]),
]
IDS = ["pictures", "scalar", "two inputs"]
Shapes = list[tuple[int, ...]]


class Runner:
    """Explains by engines of few rows, so that a path comes in several chunks."""

    def __init__(self) -> None:
        self.engines: list[Engine] = []

    def __call__(
        self, model: nn.Module, inputs: list[Tensor], targets: list[int] | None, **parameters: object
    ) -> tuple[Outcome, int]:
        engine = Engine(view_of(model, len(inputs)), batch_rows=4, threads=1).start()
        self.engines.append(engine)
        job = RunningJob(engine, IntegratedGradients(**parameters), problem_of(inputs, targets))
        return job.result(), job.task.rows


@pytest.fixture
def run() -> Iterator[Runner]:
    runner = Runner()
    yield runner
    for engine in runner.engines:
        engine.stop()


def draw(shapes: Shapes) -> list[Tensor]:
    generator = torch.Generator().manual_seed(3)
    return [torch.randn(*shape, generator=generator, dtype=torch.float64) for shape in shapes]


def partial_sums(
    model: nn.Module, inputs: list[Tensor], targets: list[int] | None, nodes: int, method: str, steps: int
) -> list[Tensor]:
    """Captum's quadrature over the first nodes alone, written out."""
    sizes, alphas = (builder(steps) for builder in approximation_parameters(method))
    sums = [torch.zeros_like(tensor) for tensor in inputs]
    for size, alpha in zip(sizes[:nodes], alphas[:nodes], strict=True):
        points = [(alpha * tensor).requires_grad_() for tensor in inputs]
        outputs = view_of(model, len(inputs)).module(*points)
        chosen = outputs if targets is None else outputs[torch.arange(len(targets)), targets]
        for total, gradient in zip(sums, torch.autograd.grad(chosen.sum(), points), strict=True):
            total.add_(gradient, alpha=float(torch.tensor(size).float()))
    return [total * tensor for total, tensor in zip(sums, inputs, strict=True)]


@pytest.mark.parametrize("rule", ["gausslegendre", "riemann_trapezoid", "riemann_left"])
@pytest.mark.parametrize(("model", "shapes", "targets"), CASES, ids=IDS)
def test_points_are_captums_partial_sums(
    run: Runner, model: nn.Module, shapes: Shapes, targets: list[int] | None, rule: str
) -> None:
    inputs = draw(shapes)
    outcome, _ = run(model, inputs, targets, n_steps=50, frames=7, method=rule)
    assert outcome.path is not None
    ends = last_nodes(50, 7)
    alphas = approximation_parameters(rule)[1](50)
    for point, nodes in enumerate(ends):
        expected = partial_sums(model, inputs, targets, nodes, rule, 50)
        for found, wanted in zip(outcome.path.attributions, expected, strict=True):
            torch.testing.assert_close(found[:, point], wanted, rtol=0, atol=1e-12)
        assert outcome.path.alphas[:, point].tolist() == [alphas[nodes - 1]] * len(inputs[0])
        at = view_of(model, len(inputs)).module(*(alphas[nodes - 1] * tensor for tensor in inputs))
        chosen = at if targets is None else at[torch.arange(len(targets)), targets]
        torch.testing.assert_close(outcome.path.outputs[:, point], chosen.detach(), rtol=0, atol=1e-12)
    whole = CaptumIG(view_of(model, len(inputs)).module).attribute(
        tuple(inputs), target=targets, n_steps=50, method=rule
    )
    for found, wanted in zip(outcome.path.attributions, whole, strict=True):
        torch.testing.assert_close(found[:, -1], wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize("steps", [50, "auto"])
@pytest.mark.parametrize(("model", "shapes", "targets"), CASES, ids=IDS)
def test_points_cost_no_rows_and_change_nothing(
    run: Runner, model: nn.Module, shapes: Shapes, targets: list[int] | None, steps: int | str
) -> None:
    inputs = draw(shapes)
    plain, plain_rows = run(model, inputs, targets, n_steps=steps)
    traced, traced_rows = run(model, inputs, targets, n_steps=steps, frames=32)
    assert plain.path is None
    assert traced_rows == plain_rows
    for a, b in zip(plain.attributions, traced.attributions, strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("steps", [50, "auto"])
@pytest.mark.parametrize(("model", "shapes", "targets"), CASES, ids=IDS)
def test_the_sums_follow_the_output(
    run: Runner, model: nn.Module, shapes: Shapes, targets: list[int] | None, steps: int | str
) -> None:
    outcome, _ = run(model, draw(shapes), targets, n_steps=steps, frames=32)
    path = outcome.path
    assert path is not None
    points = path.alphas.shape[1]
    assert points == 32 if steps == 50 else 3 <= points <= 32
    assert (path.alphas.diff(dim=1) > 0).all()
    torch.testing.assert_close(
        path.covered[:, -1], torch.ones(len(path.covered), dtype=torch.float64), rtol=0, atol=1e-6
    )
    for found, whole in zip(path.attributions, outcome.attributions, strict=True):
        torch.testing.assert_close(found[:, -1], whole, rtol=0, atol=1e-12)
    # the sum over the path up to `covered` is the rise of the output up to there
    scale = float(outcome.difference.abs().max()) if outcome.difference is not None else 1.0
    sums = torch.stack([part.flatten(2).sum(dim=2) for part in path.attributions]).sum(dim=0)
    assert outcome.difference is not None
    assert float((sums[:, -1] - outcome.difference).abs().max()) < 0.02 * scale


def test_rates_are_not_multiplied(run: Runner) -> None:
    inputs = draw([(2, 6)])
    rates, _ = run(frozen(ToyScalar()), inputs, None, n_steps=20, frames=5, multiply_by_inputs=False)
    shares, _ = run(frozen(ToyScalar()), inputs, None, n_steps=20, frames=5)
    assert rates.path is not None
    assert shares.path is not None
    torch.testing.assert_close(
        rates.path.attributions[0] * inputs[0].unsqueeze(1), shares.path.attributions[0], rtol=0, atol=1e-12
    )


@pytest.mark.parametrize(("nodes", "points"), [(50, 7), (50, 32), (50, 50), (3, 32), (2, 1), (2000, 32), (33, 32)])
def test_points_are_spread_evenly_and_end_at_the_last_node(nodes: int, points: int) -> None:
    ends = last_nodes(nodes, points)
    assert len(ends) == len(set(ends)) == min(nodes, points)
    assert ends == sorted(ends)
    assert ends[0] >= 1
    assert ends[-1] == nodes
    steps = [b - a for a, b in zip([0, *ends], ends, strict=False)]
    assert max(steps) - min(steps) <= 1
