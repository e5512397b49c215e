"""A pending collects the outputs of its rows and hands them to its job."""

import threading

import pytest
import torch

from schemas.errors import JobFailed
from workers.engine.shared.block import Block
from workers.engine.task import Task
from workers.engine.work import Delivery


def block(rows: int) -> Block:
    return Block(Task("job"), "forward", (torch.zeros(rows, 2),), (), None)


def test_outputs_of_several_passes_are_put_together_in_the_order_of_their_rows() -> None:
    pending = block(5)
    outputs = torch.arange(10.0).reshape(5, 2)
    for start, stop in ((3, 5), (0, 1), (1, 3)):
        assert pending.left
        assert Delivery(pending, start, (outputs[start:stop],)).deliver() is None
    assert pending.left == 0
    assert torch.equal(pending.result()[0], outputs)
    assert (pending.task.rows, pending.task.passes) == (5, 3)


def test_outputs_of_one_pass_are_not_copied() -> None:
    pending, outputs = block(4), torch.ones(4, 3)
    pending.accept(0, (outputs,))
    assert pending.result()[0] is outputs


def test_outputs_that_change_their_shape_are_an_error() -> None:
    pending = block(4)
    assert pending.accept(0, (torch.zeros(2, 3),)) is None
    error = pending.accept(2, (torch.zeros(2, 7),))
    assert isinstance(error, JobFailed)
    assert "[3] for some rows and [7] for others" in str(error)
    assert pending.task.rows == 2


def test_a_job_waits_until_its_pending_is_settled() -> None:
    pending = block(1)
    pending.accept(0, (torch.ones(1, 1),))
    threading.Timer(0.01, pending.settled.set).start()
    assert pending.wait()[0].item() == 1
    assert pending.task.parked_s > 0


def test_the_error_is_raised_and_a_missing_result_is_a_bug() -> None:
    pending = block(1)
    with pytest.raises(RuntimeError, match="without outputs"):
        pending.result()
    pending.error = JobFailed("no")
    with pytest.raises(JobFailed, match="no"):
        pending.result()
