"""The choice of the next work: full first, but nothing is passed over for long."""

import pytest
import torch

from workers.engine.block import Block, PassKind
from workers.engine.schedule import PATIENCE, Schedule, SharedPass
from workers.engine.solo import SoloCall, SoloGroup, SoloRequest
from workers.engine.task import Task

BATCH = 16


def block(rows: int, kind: PassKind, name: str = "long") -> Block:
    return Block(Task(name), kind, (torch.zeros(rows, 2),), (), None)


def solo(name: str, key: str | None = "same") -> SoloRequest:
    call = SoloCall((torch.zeros(1, 2),), (), None, None)
    return SoloRequest(Task(name), call, lambda view, call, rows: call.inputs, key)


@pytest.mark.parametrize("kind", ["gradient", "forward"])
def test_a_short_job_behind_thousands_of_rows_of_each_kind(kind: PassKind) -> None:
    schedule = Schedule()
    for long in ("gradient", "forward"):
        schedule.add_block(block(4_000, long), long)
    for k in range(40):
        schedule.add_solo(solo(str(k), key=None))
    schedule.next(BATCH, quiet=True)
    short = block(1, kind, "short")
    schedule.add_block(short, kind)
    works = [schedule.next(BATCH, quiet=True) for _ in range(3)]
    assert any(part.block is short for work in works if isinstance(work, SharedPass) for part in work.parts)


def test_a_part_filled_lane_of_its_own_is_not_shut_out_by_full_ones() -> None:
    schedule = Schedule()
    schedule.add_block(block(4_000, "gradient"), "a")
    schedule.add_block(block(4_000, "forward"), "b")
    lonely = block(1, "gradient", "other shapes")
    schedule.add_block(lonely, "c")
    works = [schedule.next(BATCH, quiet=True) for _ in range(PATIENCE + 2)]
    assert any(isinstance(w, SharedPass) and w.parts[0].block is lonely for w in works)


def test_what_is_not_full_waits_until_nothing_more_can_come() -> None:
    schedule = Schedule()
    schedule.add_block(block(3, "gradient"), "a")
    schedule.add_solo(solo("s"))
    assert schedule.next(BATCH, quiet=False) is None
    schedule.add_block(block(13, "gradient"), "a")
    work = schedule.next(BATCH, quiet=False)
    assert isinstance(work, SharedPass)
    assert sum(part.rows for part in work.parts) == BATCH
    assert isinstance(schedule.next(BATCH, quiet=True), SoloGroup)
    assert schedule.next(BATCH, quiet=True) is None


def test_only_equal_solo_requests_are_grouped_and_never_beyond_a_batch() -> None:
    schedule = Schedule()
    for k in range(20):
        schedule.add_solo(solo(str(k), key="even" if k % 2 == 0 else None))
    groups = []
    while (work := schedule.next(8, quiet=True)) is not None:
        assert isinstance(work, SoloGroup)
        groups.append([request.task.id for request in work.requests])
    assert groups[0] == ["0", "2", "4", "6", "8", "10", "12", "14"]
    assert sorted(name for group in groups for name in group) == sorted(map(str, range(20)))
    assert sum(len(group) == 1 for group in groups) == 10


def test_a_dropped_task_is_gone() -> None:
    schedule = Schedule()
    first, second = block(5, "forward"), solo("x")
    schedule.add_block(first, "a")
    schedule.add_solo(second)
    assert list(schedule.remove_task(first.task)) == [first]
    assert list(schedule.remove_task(second.task)) == [second]
    assert schedule.next(BATCH, quiet=True) is None
    assert not schedule.holds(first)
