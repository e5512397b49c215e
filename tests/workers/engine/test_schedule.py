"""The choice of the next work: full first, but nothing is passed over for long."""

import pytest
import torch

from workers.engine.schedule import Schedule
from workers.engine.shared.block import Block, PassKind
from workers.engine.shared.shared_pass import SharedLane, SharedPass
from workers.engine.solo.solo_call import SoloCall
from workers.engine.solo.solo_group import SoloGroup, SoloLane, SoloRequest
from workers.engine.task import Task
from workers.engine.tuning import PATIENCE_PASSES

BATCH = 16


def block(rows: int, kind: PassKind, lane: str, name: str = "long") -> Block:
    return Block(Task(name), kind, (torch.zeros(rows, 2),), (), None, lane_key=lane)


def solo(name: str, key: str | None = "same") -> SoloRequest:
    call = SoloCall((torch.zeros(1, 2),), (), None, None)
    return SoloRequest(Task(name), call, lambda view, call, rows: call.inputs, key)


@pytest.mark.parametrize("kind", ["gradient", "forward"])
def test_a_short_job_behind_thousands_of_rows_of_each_kind(kind: PassKind) -> None:
    schedule = Schedule()
    for long in ("gradient", "forward"):
        schedule.add(block(4_000, long, lane=long), SharedLane)
    for k in range(40):
        schedule.add(solo(str(k), key=None), SoloLane)
    schedule.next(BATCH, 1)
    short = block(1, kind, lane=kind, name="short")
    schedule.add(short, SharedLane)
    works = [schedule.next(BATCH, 1) for _ in range(3)]
    assert any(part.block is short for work in works if isinstance(work, SharedPass) for part in work.parts)


def test_a_part_filled_lane_of_its_own_is_not_shut_out_by_full_ones() -> None:
    schedule = Schedule()
    schedule.add(block(4_000, "gradient", lane="a"), SharedLane)
    schedule.add(block(4_000, "forward", lane="b"), SharedLane)
    lonely = block(1, "gradient", lane="c", name="other shapes")
    schedule.add(lonely, SharedLane)
    works = [schedule.next(BATCH, 1) for _ in range(PATIENCE_PASSES + 2)]
    assert any(isinstance(w, SharedPass) and w.parts[0].block is lonely for w in works)


def test_what_is_not_full_waits_until_nothing_more_can_come() -> None:
    schedule = Schedule()
    schedule.add(block(3, "gradient", lane="a"), SharedLane)
    schedule.add(solo("s"), SoloLane)
    assert schedule.next(BATCH, BATCH) is None
    schedule.add(block(13, "gradient", lane="a"), SharedLane)
    work = schedule.next(BATCH, BATCH)
    assert isinstance(work, SharedPass)
    assert sum(part.rows for part in work.parts) == BATCH
    assert isinstance(schedule.next(BATCH, 1), SoloGroup)
    assert schedule.next(BATCH, 1) is None


def test_only_equal_solo_requests_are_grouped_and_never_beyond_a_batch() -> None:
    schedule = Schedule()
    for k in range(20):
        schedule.add(solo(str(k), key="even" if k % 2 == 0 else None), SoloLane)
    groups = []
    while (work := schedule.next(8, 1)) is not None:
        assert isinstance(work, SoloGroup)
        groups.append([request.task.id for request in work.requests])
    assert groups[0] == ["0", "2", "4", "6", "8", "10", "12", "14"]
    assert sorted(name for group in groups for name in group) == sorted(map(str, range(20)))
    assert sum(len(group) == 1 for group in groups) == 10


def test_a_dropped_task_is_gone() -> None:
    schedule = Schedule()
    first, second = block(5, "forward", lane="a"), solo("x")
    schedule.add(first, SharedLane)
    schedule.add(second, SoloLane)
    assert list(schedule.remove_task(first.task)) == [first]
    assert list(schedule.remove_task(second.task)) == [second]
    assert schedule.next(BATCH, 1) is None
