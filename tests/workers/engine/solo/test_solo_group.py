"""Requests of one key run as one call, count their rows, and leave the model without hooks."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from schemas.errors import JobCancelled
from tests.workers.toys import ToyMlp, frozen, view_of
from workers.engine.batch_limit import BatchLimit
from workers.engine.solo.solo_call import SoloCall
from workers.engine.solo.solo_group import SoloGroup, SoloLane, SoloRequest
from workers.engine.stats import EngineStats
from workers.engine.task import Task
from workers.engine.view import ModelView


def hooked(view: ModelView, call: SoloCall, batch_rows: int) -> tuple[Tensor, ...]:
    """Leaves a hook behind, as a failing Captum call does."""
    view.module.register_forward_hook(lambda *_: None)
    return (view.module(*call.inputs),)


def request(examples: int, key: str | None = "key", **more: object) -> SoloRequest:
    call = SoloCall((torch.randn(examples, 6, dtype=torch.float64),), (), None, None)
    return SoloRequest(Task("job"), call, hooked, key, **more)  # type: ignore[arg-type]


def test_each_request_gets_its_examples_and_the_model_its_hooks_back() -> None:
    model, stats = frozen(ToyMlp()), EngineStats()
    requests = [request(2), request(3)]
    outcomes = SoloGroup(requests, 16).run(view_of(model), stats)
    for outcome, one in zip(outcomes, requests, strict=True):
        assert outcome.pending is one
        assert torch.allclose(outcome.outputs[0], model(*one.call.inputs))
    assert not model._forward_hooks
    assert (stats.rows, stats.passes) == (5, 1)
    assert [one.task.rows for one in requests] == [2, 3]


@pytest.mark.parametrize(
    ("rows_each", "divisible", "alone_reason", "passes"), [(1, True, None, 2), (2, True, None, 4), (2, False, None, 1)]
)
def test_examples_are_divided_as_the_batch_needs(
    rows_each: int, divisible: bool, alone_reason: str | None, passes: int
) -> None:
    group = SoloGroup([request(8, rows_each=rows_each, divisible=divisible)], 4)
    group.run(replace(view_of(frozen(ToyMlp())), alone_reason=alone_reason), EngineStats())
    assert (group.passes, group.rows) == (passes, 8)


def test_rows_that_run_alone_are_calls_of_their_own() -> None:
    group = SoloGroup([request(3)], 16)
    group.run(replace(view_of(frozen(ToyMlp())), alone_reason="it mixes rows"), EngineStats())
    assert group.passes == 3


def test_a_call_ends_once_all_of_its_jobs_are_cancelled() -> None:
    model, requests = frozen(ToyMlp()), [request(1), request(1)]
    requests[0].task.cancelled.set()
    assert len(SoloGroup(requests, 16).run(view_of(model), EngineStats())) == 2
    requests[1].task.cancelled.set()
    with pytest.raises(JobCancelled):
        SoloGroup(requests, 16).run(view_of(model), EngineStats())
    assert not model._forward_hooks


def test_what_to_run_instead() -> None:
    limit, several = BatchLimit(16), SoloGroup([request(1), request(2)], 8)
    assert several.smaller(limit) == []
    singles = several.apart()
    assert [single.pendings() for single in singles] == [[one] for one in several.requests]
    assert singles[0].apart() == []
    (half,) = singles[0].smaller(limit)
    assert isinstance(half, SoloGroup)
    assert half.batch_rows == 4
    assert SoloGroup([request(1)], 1).smaller(limit) == []
    assert limit.rows == 16


def test_a_lane_hands_out_the_oldest_interactive_request_with_those_of_its_key() -> None:
    lane = SoloLane()
    batch, first, other, second, large = (request(1, key) for key in ("a", "b", "c", "b", "b"))
    batch.task.priority = "batch"
    large.call = SoloCall((torch.zeros(9, 6),), (), None, None)
    for number, one in enumerate((batch, first, other, second, large)):
        lane.add(one, number)
    assert len(lane) == 11  # of the key whose turn it is
    assert lane.take(4).requests == [first, second]
    lane.discard(other)
    assert lane.take(4).requests == [large]  # more than a batch, but by itself
    assert lane.of_task(batch.task) == [batch]
    assert lane.take(4).requests == [batch]
    assert len(lane) == 0
