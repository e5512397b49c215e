"""A shared pass is cut without losing rows, and a lane keeps blocks until they are settled."""

import pytest
import torch

from workers.engine.batch_limit import BatchLimit
from workers.engine.shared.block import AppliedRule, Block, Part
from workers.engine.shared.shared_pass import SharedLane, SharedPass
from workers.engine.task import Task
from workers.engine.work import Work


def block(rows: int, name: str = "job") -> Block:
    return Block(Task(name), "forward", (torch.zeros(rows, 2),), (), None)


def pairs(rows: int, name: str = "pairs") -> Block:
    """Each row with a baseline."""
    zeros = (torch.zeros(rows, 2),)
    return Block(Task(name), "gradient", zeros, (), None, rule=AppliedRule("rescale"), baselines=zeros)


def halves(rows: int, name: str = "halves") -> Block:
    """Rows without gradients, two of which take one place."""
    return Block(Task(name), "forward", (torch.zeros(rows, 2),), (), None, rows_a_place=2)


def spans(works: list[Work]) -> list[list[tuple[str, int, int]]]:
    return [
        [(part.block.task.id, part.start, part.stop) for part in work.parts]
        for work in works
        if isinstance(work, SharedPass)
    ]


@pytest.fixture
def work() -> SharedPass:
    return SharedPass([Part(block(9, "a"), 2, 7), Part(block(3, "b"), 0, 3)])


def test_pieces_have_at_most_so_many_rows_in_the_same_order(work: SharedPass) -> None:
    assert spans(work.pieces(4, without=())) == [[("a", 2, 6)], [("a", 6, 7), ("b", 0, 3)]]
    assert spans(work.pieces(99, without=())) == [[("a", 2, 7), ("b", 0, 3)]]
    assert spans(work.pieces(99, without={work.parts[0].block})) == [[("b", 0, 3)]]
    assert work.pieces(99, without=work.pendings()) == []


def test_apart_is_by_job_and_then_by_row(work: SharedPass) -> None:
    first, second = work.apart()
    assert spans([first, second]) == [[("a", 2, 7)], [("b", 0, 3)]]
    rows = second.apart()
    assert spans(rows) == [[("b", 0, 1)], [("b", 1, 2)], [("b", 2, 3)]]
    assert rows[0].apart() == []


def test_smaller_halves_the_limit_unless_there_is_one_row(work: SharedPass) -> None:
    limit = BatchLimit(64)
    assert work.smaller(limit) == [work]
    assert limit.rows == 4
    assert SharedPass([Part(block(5), 1, 2)]).smaller(limit) == []
    assert limit.rows == 4


def test_time_and_rows_are_charged_to_every_job(work: SharedPass) -> None:
    work.charge(0.5)
    work.charge(0.25)
    for part in work.parts:
        assert (part.block.task.pass_s, part.block.task.pass_places) == (0.75, 16)


def test_a_lane_can_settle_blocks_whose_rows_are_all_taken() -> None:
    lane, one = SharedLane(), block(4)
    lane.add(one, 7)
    assert len(lane) == 4
    lane.take(4)
    assert len(lane) == 0
    assert lane.of_task(one.task) == [one]
    lane.discard(one)
    assert lane.of_task(one.task) == []
    lane.discard(one)  # once more changes nothing


def test_a_row_and_its_baseline_are_two_rows_of_one_pass() -> None:
    lane = SharedLane()
    lane.add(pairs(5, "a"), 0)
    lane.add(pairs(2, "b"), 1)
    assert len(lane) == 14
    first, second = lane.take(7), lane.take(99)  # seven rows hold three pairs
    assert [work.rows for work in (first, second)] == [6, 8]
    assert spans([first]) == [[("a", 0, 2), ("b", 0, 1)]]
    assert len(lane) == 0


def test_pairs_are_cut_between_pairs_and_one_pair_is_never_cut() -> None:
    work = SharedPass([Part(pairs(3, "a"), 0, 3), Part(pairs(2, "b"), 0, 2)])
    assert work.rows == 10
    assert spans(work.pieces(5, without=())) == [[("a", 0, 2)], [("a", 2, 3), ("b", 0, 1)], [("b", 1, 2)]]
    assert [piece.rows for piece in work.pieces(1, without=())] == [2] * 5
    limit = BatchLimit(64)
    assert SharedPass([Part(pairs(1), 0, 1)]).smaller(limit) == []
    assert work.smaller(limit) == [work]
    assert limit.rows == 5


def test_two_rows_without_gradients_take_one_place() -> None:
    lane = SharedLane()
    lane.add(halves(5, "a"), 0)
    lane.add(halves(6, "b"), 1)
    assert len(lane) == 6, "eleven rows"
    first, second, third = lane.take(3), lane.take(1), lane.take(99)
    assert [(work.rows, work.places) for work in (first, second, third)] == [(6, 3), (1, 1), (4, 2)]
    assert len(lane) == 0
    assert [first.capacity(places) for places in (1, 3, 16)] == [6, 6, 32]
    third.charge(0.5)
    assert {pending.task.pass_places for pending in third.pendings()} == {2}


def test_passes_of_shared_places_are_cut_by_places_until_each_row_is_alone() -> None:
    work = SharedPass([Part(halves(5, "a"), 0, 5), Part(halves(3, "b"), 0, 3)])
    assert spans(work.pieces(3, without=())) == [[("a", 0, 5), ("b", 0, 1)], [("b", 1, 3)]]
    assert [piece.rows for piece in work.pieces(1, without=())] == [1] * 8
    limit = BatchLimit(64)
    assert work.smaller(limit) == [work]
    assert limit.rows == 2, "half of the four places"
    two = SharedPass([Part(halves(2), 0, 2)])
    assert two.smaller(limit) == [two]
    assert limit.rows == 1, "two rows of one place do not fit: each runs alone"
    assert [piece.rows for piece in two.pieces(limit.rows, without=())] == [1, 1]


def test_a_job_is_charged_for_both_rows_of_a_pair() -> None:
    block = pairs(3)
    assert block.accept(0, (torch.zeros(2, 2),)) is None
    assert block.task.rows == 4
    assert block.left == 1
