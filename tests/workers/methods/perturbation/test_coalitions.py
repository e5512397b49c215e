"""The rows of perturbation methods: each coalition once, and never more at a time than fill a few passes."""

from itertools import combinations
from math import factorial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from schemas import methods as spec
from schemas.errors import JobCancelled
from schemas.methods import AnyMethod
from tests.workers.toys import RunningJob, ToyMlp, frozen, problem_of, view_of
from workers.engine.engine import Engine
from workers.engine.seams import Seams
from workers.engine.task import Task
from workers.methods.explain_inputs import ExplainInputs, chunk_rows
from workers.methods.perturbation import shapley
from workers.methods.perturbation.shapley import coalitions_of, shapley_values

BATCH_ROWS = 8


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Wide(nn.Module):
    """(rows, features) -> (rows, 2): products of neighbours, so that features act together."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([(x[:, 1:] * x[:, :-1]).sum(dim=1) + x.sum(dim=1), x.square().sum(dim=1)], dim=1)


class Recording(Seams):
    """Seams that note the size of each block of rows."""

    def __init__(self, engine: Engine, task: Task) -> None:
        super().__init__(engine, task)
        self.blocks: list[int] = []

    def forward(self, *args: Tensor) -> Tensor:
        self.blocks.append(len(args[0]))
        return super().forward(*args)


def recorded(call: Any, method: AnyMethod, model: nn.Module, subject: ExplainInputs) -> tuple[list[int], Any]:
    """The sizes of all blocks, and the attributions."""
    engine = Engine(view_of(model, len(subject.inputs)), batch_rows=BATCH_ROWS, threads=1).start()
    task = Task("job")
    seams = Recording(engine, task)
    engine.enter(task)
    try:
        torch.manual_seed(0)
        return seams.blocks, call(method, seams, subject, BATCH_ROWS)
    finally:
        engine.leave(task)
        engine.stop()


def test_every_coalition_is_computed_once() -> None:
    """With five features 30 coalitions lie between the baselines and the inputs, in 120 orders."""
    subject = problem_of([draw(2, 6)], [1, 2], feature_mask=[torch.tensor([[0, 1, 2, 3, 4, 4]])])
    blocks, _ = recorded(shapley_values, spec.ShapleyValues(), frozen(ToyMlp()), subject)
    assert sum(blocks) == 2 * 30 + 2 * 2


def test_no_block_is_larger_than_a_chunk_and_only_the_last_is_smaller() -> None:
    subject = problem_of([draw(3, 90)], [0])  # more features than coalitions have keys
    method = spec.ShapleyValueSampling(n_samples=4)
    blocks, _ = recorded(shapley.shapley_value_sampling, method, Wide(), subject)
    ends, inner = blocks[:2], blocks[2:]
    assert ends == [3, 3]
    assert sum(inner) == 4 * 89 * 3
    assert set(inner[:-1]) == {chunk_rows(BATCH_ROWS, 1)}
    assert 0 < inner[-1] <= chunk_rows(BATCH_ROWS, 1)


def test_lists_of_coalitions_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that may list few members at a time has the same result."""
    subject = problem_of([draw(2, 80)], [0, 1])
    method = spec.ShapleyValueSampling(n_samples=3)
    _, at_once = recorded(shapley.shapley_value_sampling, method, Wide(), subject)
    monkeypatch.setattr("workers.methods.perturbation.coalitions.COALITION_CELLS", 1)
    _, in_parts = recorded(shapley.shapley_value_sampling, method, Wide(), subject)
    assert torch.equal(at_once[0], in_parts[0])


@pytest.mark.parametrize("numbers", [9, 12])
def test_many_features_have_the_values_of_the_definition(numbers: int) -> None:
    """Too many orders to add up one by one: the sum over coalitions, written out here once more."""
    mask = torch.arange(numbers) % 5 + (torch.arange(numbers) >= 5) * 4  # with numbers that no element has
    subject = problem_of([draw(2, numbers)], [0], [draw(2, numbers, seed=1)], feature_mask=[mask.unsqueeze(0)])
    _, (found,) = recorded(shapley_values, spec.ShapleyValues(), Wide(), subject)
    names = sorted(set(mask.tolist()))

    def output(chosen: tuple[int, ...]) -> Tensor:
        kept = torch.tensor([number in chosen for number in mask.tolist()])
        return Wide()(torch.where(kept, subject.inputs[0], subject.baselines[0]))[:, 0]

    for name in names:
        others = [other for other in names if other != name]
        value = torch.zeros(2, dtype=torch.float64)
        for size in range(len(names)):
            share = factorial(size) * factorial(len(others) - size) / factorial(len(names))
            for chosen in combinations(others, size):
                value += share * (output((*chosen, name)) - output(chosen))
        at = mask.tolist().index(name)
        assert torch.allclose(found[:, at].double(), value, rtol=1e-6)


def test_few_orders_and_their_weighted_sum_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = problem_of([draw(3, 6)], [1, 0, 3])
    _, (ordered,) = recorded(shapley_values, spec.ShapleyValues(), frozen(ToyMlp()), subject)
    monkeypatch.setattr(shapley, "MAX_ORDERED_FEATURES", 1)
    _, (weighted,) = recorded(shapley_values, spec.ShapleyValues(), frozen(ToyMlp()), subject)
    assert torch.allclose(ordered, weighted, rtol=1e-5, atol=1e-6)


def test_a_cancelled_job_hands_over_no_more() -> None:
    class Cancelling(Wide):
        rows = 0
        task: Task

        def forward(self, x: Tensor) -> Tensor:
            Cancelling.rows += len(x)
            if Cancelling.rows > 100:
                self.task.cancelled.set()
            return super().forward(x)

    engine = Engine(view_of(Cancelling()), batch_rows=BATCH_ROWS, threads=1).start()
    engine.hold()
    job = RunningJob(engine, spec.ShapleyValueSampling(n_samples=200), problem_of([draw(1, 80)], [1]))
    Cancelling.task = job.task
    engine.release()
    with pytest.raises(JobCancelled):
        job.result()
    engine.stop()
    assert Cancelling.rows <= 100 + chunk_rows(BATCH_ROWS, 1)


def test_ends_that_the_job_knows_take_no_rows() -> None:
    subject = problem_of([draw(2, 6)], [1, 2])
    engine = Engine(view_of(frozen(ToyMlp())), batch_rows=BATCH_ROWS, threads=1).start()
    task = Task("job")
    engine.enter(task)
    coalitions = coalitions_of(Seams(engine, task), subject, BATCH_ROWS)
    coalitions.keep_ends()
    computed = task.rows
    members = torch.tensor([[True] * 6, [False] * 6]).repeat(2, 1)
    (outputs,) = coalitions.of(members, torch.tensor([0, 0, 1, 1]))
    engine.leave(task)
    engine.stop()
    assert computed == task.rows == 4
    assert torch.equal(outputs[::2], coalitions.full)
    assert torch.equal(outputs[1::2], coalitions.empty)
