"""Jobs park, work is handed out once nothing more can come, and outcomes wake the jobs."""

import threading

import pytest
import torch

from schemas.errors import JobCancelled, JobFailed
from workers.engine.device.gate import DeviceGate
from workers.engine.parking import Parking
from workers.engine.shared.block import Block
from workers.engine.shared.shared_pass import SharedLane
from workers.engine.task import Task
from workers.engine.work import Delivery, Work

BATCH = 8


def parked(parking: Parking, rows: int, task: Task | None = None) -> Block:
    block = Block(task or Task("job"), "forward", (torch.zeros(rows, 2),), (), None)
    parking.park(block, SharedLane)
    return block


def next_work(parking: Parking) -> Work | None:
    """As an engine takes it, on a device that is free."""
    while parking.wait(BATCH):
        if (work := parking.take(BATCH, DeviceGate())) is not None:
            return work
    return None


def test_a_part_filled_batch_waits_for_every_live_job() -> None:
    parking, first, second = Parking(), Task("first"), Task("second")
    parking.enter(first)
    parking.enter(second)
    assert parking.live == 2
    parked(parking, 3, first)
    taken: list[int] = []

    def take() -> None:
        work = next_work(parking)
        taken.append(0 if work is None else work.rows)

    thread = threading.Thread(target=take)
    thread.start()
    assert taken == []  # the second job may still bring rows
    parked(parking, 2, second)
    thread.join(30)
    assert taken == [5]


def test_a_job_that_leaves_is_not_waited_for_and_a_full_batch_waits_for_nobody() -> None:
    parking, idle = Parking(), Task("idle")
    parking.enter(idle)
    parked(parking, BATCH)
    full = next_work(parking)
    assert full is not None
    assert full.rows == BATCH
    parking.leave(idle)
    parked(parking, 1)
    rest = next_work(parking)
    assert rest is not None
    assert rest.rows == 1


def test_a_block_is_settled_by_its_last_rows_or_by_its_first_error() -> None:
    parking = Parking()
    block = parked(parking, 4)
    parking.settle([Delivery(block, 0, (torch.zeros(2, 1),))])
    assert not block.settled.is_set()
    parking.settle([Delivery(block, 2, (torch.ones(2, 1),))])
    assert block.settled.is_set()
    assert block.result()[0].flatten().tolist() == [0, 0, 1, 1]
    failed = parked(parking, 2)
    parking.settle([Delivery(failed, error=JobFailed("no")), Delivery(failed, 1, (torch.ones(1, 1),))])
    with pytest.raises(JobFailed):
        failed.result()
    assert failed.task.rows == 0


def test_cancelling_settles_what_is_parked_and_refuses_what_comes() -> None:
    parking, task = Parking(), Task("job")
    block = parked(parking, 4, task)
    parking.cancel(task)
    with pytest.raises(JobCancelled):
        block.result()
    with pytest.raises(JobCancelled):
        parked(parking, 1, task)
    parking.settle([Delivery(block, 0, (torch.ones(4, 1),))])  # of a pass that was running
    assert block.outputs is None


def test_nothing_is_handed_out_while_held_or_once_stopped() -> None:
    parking, task = Parking(), Task("job")
    parking.hold()
    parking.enter(task)
    block = parked(parking, BATCH, task)
    taken: list[object] = []
    thread = threading.Thread(target=lambda: taken.append(next_work(parking)))
    thread.start()
    assert taken == []
    parking.stop()
    thread.join(30)
    assert taken == [None]
    with pytest.raises(JobCancelled):
        block.result()
