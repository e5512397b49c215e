"""Work that fails is run again in smaller pieces, and every row gets its outputs or its job an error."""

import pytest
import torch
from torch import Tensor, nn

from schemas.errors import JobCancelled, JobError, JobFailed, OutOfMemory
from tests.workers.toys import view_of
from workers.engine.executor import Executor
from workers.engine.shared.block import Block, Part
from workers.engine.shared.shared_pass import SharedPass
from workers.engine.solo.solo_call import SoloCall
from workers.engine.solo.solo_group import SoloGroup, SoloRequest
from workers.engine.task import Task
from workers.engine.tuning import FAILED_PASSES_BEFORE_SINGLE_ROWS
from workers.engine.view import ModelView
from workers.engine.work import Delivery

BAD = 99.0


class Picky(nn.Module):
    """Doubles its rows. Has memory for some rows only, refuses `BAD`, and may refuse several rows at once."""

    def __init__(self, memory_rows: int = 1_000, *, single_rows: bool = False) -> None:
        super().__init__()
        self.memory_rows = memory_rows
        self.single_rows = single_rows
        self.passes: list[int] = []

    def forward(self, x: Tensor) -> Tensor:
        self.passes.append(len(x))
        if len(x) > self.memory_rows:
            raise torch.OutOfMemoryError
        if bool((x == BAD).any()) or (self.single_rows and len(x) > 1):
            raise ValueError("a secret")
        return 2 * x


def block(*values: float) -> Block:
    return Block(Task("job"), "forward", (torch.tensor(values).unsqueeze(1),), (), None)


def shared(*blocks: Block) -> SharedPass:
    return SharedPass([Part(one, 0, one.size) for one in blocks])


def results(outcomes: list[Delivery]) -> dict[int, list[float] | JobError]:
    """By the pending's id, as an engine delivers them."""
    found: dict[int, list[float] | JobError] = {}
    for outcome in outcomes:
        error = outcome.deliver()
        pending = outcome.pending
        if error is not None:
            found[id(pending)] = error
        elif pending.outputs is not None and not pending.left:
            found[id(pending)] = pending.outputs[0].flatten().tolist()
    return found


def test_out_of_memory_halves_passes_until_they_fit() -> None:
    model = Picky(memory_rows=3)
    executor = Executor(view_of(model), 16)
    first, second = block(*range(10)), block(*range(6))
    found = results(executor.run(shared(first, second)).outcomes)
    assert found == {id(first): [2.0 * k for k in range(10)], id(second): [2.0 * k for k in range(6)]}
    assert model.passes == [16, 8, 4, *[2] * 8]
    assert executor.limit.rows == 2
    assert (executor.stats.oom, executor.stats.rows, executor.stats.passes) == (3, 16, 8)
    assert executor.stats.shared_capacity_rows == 16, "each pass held the two rows that it had room for"
    executor.run(shared(block(1.0)))
    assert (executor.stats.rows, executor.stats.shared_capacity_rows) == (17, 18), "one of two places was filled"


def test_rows_that_share_places_are_halved_until_they_fit() -> None:
    model = Picky(memory_rows=5)
    executor = Executor(view_of(model), 8)
    whole = Block(Task("job"), "forward", (torch.arange(16.0).unsqueeze(1),), (), None, rows_a_place=2)
    found = results(executor.run(shared(whole)).outcomes)
    assert found == {id(whole): [2.0 * k for k in range(16)]}
    assert model.passes == [16, 8, *[4] * 4]
    assert (executor.limit.rows, executor.stats.oom) == (2, 2)
    assert executor.stats.shared_capacity_rows == 16


def test_one_row_that_does_not_fit_fails_its_job() -> None:
    outcomes = Executor(view_of(Picky(memory_rows=0)), 4).run(shared(block(1.0))).outcomes
    assert [type(outcome.error) for outcome in outcomes] == [OutOfMemory]


def test_a_bad_row_fails_its_job_alone_and_the_rest_of_that_job_is_not_tried() -> None:
    model = Picky()
    executor = Executor(view_of(model), 16)
    good, bad, other = block(1.0, 2.0), block(3.0, BAD, 5.0, 6.0), block(7.0)
    found = results(executor.run(shared(good, bad, other)).outcomes)
    assert found[id(good)] == [2.0, 4.0]
    assert found[id(other)] == [14.0]
    error = found[id(bad)]
    assert isinstance(error, JobFailed)
    assert "ValueError" in str(error)
    assert "secret" not in str(error)
    assert model.passes == [7, 2, 4, 1, 1, 1]  # all, each job, the rows of the bad one up to the bad row
    assert executor.limit.rows == 16


def test_a_model_that_fails_on_several_rows_runs_single_rows_in_the_end() -> None:
    executor = Executor(view_of(Picky(single_rows=True)), 8)
    for _ in range(FAILED_PASSES_BEFORE_SINGLE_ROWS):
        assert executor.limit.rows == 8
        one = block(1.0, 2.0)
        assert results(executor.run(shared(one)).outcomes) == {id(one): [2.0, 4.0]}
    assert executor.limit.rows == 1
    assert executor.limit.alone_reason


def attribute(view: ModelView, call: SoloCall, batch_rows: int) -> tuple[Tensor, ...]:
    """A Captum call whose passes hold `batch_rows` rows."""
    return (torch.cat([view.module(rows) for rows in call.inputs[0].split(batch_rows)]),)


def request(*values: float) -> SoloRequest:
    call = SoloCall((torch.tensor(values).unsqueeze(1),), (), None, None)
    return SoloRequest(Task("job"), call, attribute, "key")


def test_a_solo_call_that_does_not_fit_is_run_with_smaller_passes() -> None:
    model = Picky(memory_rows=2)
    executor = Executor(view_of(model), 8)
    one = request(*range(6))
    assert results(executor.run(SoloGroup([one], 8)).outcomes) == {id(one): [2.0 * k for k in range(6)]}
    assert executor.stats.oom == 2  # 8, 4, 2
    assert executor.limit.rows == 8  # of the shared lane


def test_a_group_that_fails_is_run_request_by_request() -> None:
    executor = Executor(view_of(Picky()), 8)
    good, bad = request(1.0, 2.0), request(BAD)
    found = results(executor.run(SoloGroup([good, bad], 8)).outcomes)
    assert found[id(good)] == [2.0, 4.0]
    assert isinstance(found[id(bad)], JobFailed)


@pytest.mark.parametrize("error", [JobCancelled("the job was cancelled"), JobFailed("refused")])
def test_errors_for_the_client_are_passed_on(error: JobError) -> None:
    def raises(view: ModelView, call: SoloCall, batch_rows: int) -> tuple[Tensor, ...]:
        raise error

    one = SoloRequest(Task("job"), request(1.0).call, raises, None)
    (outcome,) = Executor(view_of(Picky()), 8).run(SoloGroup([one], 8)).outcomes
    assert outcome.error is error
