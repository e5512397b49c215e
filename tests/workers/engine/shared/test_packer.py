"""The packer hands every row out once, never more than fit, in order, and starves nobody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.engine.shared.packer import RowQueue, Slice
from workers.engine.tuning import BATCH_PRIORITY_SHARE

blocks = st.lists(st.tuples(st.integers(1, 60), st.sampled_from(["interactive", "batch"])), min_size=1, max_size=25)
budgets = st.integers(1, 40)


@given(blocks, budgets)
def test_every_row_once_and_passes_full(specs: list[tuple[int, str]], budget: int) -> None:
    queue = RowQueue()
    for number, (rows, priority) in enumerate(specs):
        queue.add(number, rows, priority)
    seen: dict[int, list[int]] = {number: [] for number in range(len(specs))}
    while queue:
        waiting = len(queue)
        slices = queue.take(budget)
        assert sum(s.rows for s in slices) == min(budget, waiting)
        assert len({s.block for s in slices}) == len(slices)
        for s in slices:
            seen[s.block].extend(range(s.start, s.stop))
    assert seen == {number: list(range(rows)) for number, (rows, _) in enumerate(specs)}


@given(blocks, budgets)
def test_the_first_come_has_half_of_every_pass(specs: list[tuple[int, str]], budget: int) -> None:
    queue = RowQueue()
    left = {}
    for number, (rows, _) in enumerate(specs):
        queue.add(number, rows, "interactive")
        left[number] = rows
    while queue:
        head = min(left)
        granted = {s.block: s.rows for s in queue.take(budget)}
        assert granted[head] >= min(left[head], (budget + 1) // 2)
        left = {n: rows - granted.get(n, 0) for n, rows in left.items() if rows > granted.get(n, 0)}


@given(st.integers(2, 40), st.integers(1, 200))
def test_batch_priority_keeps_its_share(budget: int, rows: int) -> None:
    queue = RowQueue()
    queue.add(0, 10_000, "interactive")
    queue.add(1, rows, "batch")
    granted = {s.block: s.rows for s in queue.take(budget)}
    assert granted[1] == min(rows, max(1, budget // BATCH_PRIORITY_SHARE))
    assert granted[0] == budget - granted[1]


@given(st.lists(st.integers(2, 500), min_size=1, max_size=30), st.integers(2, 64))
def test_a_short_block_is_in_the_next_pass_behind_any_number_of_long_ones(long: list[int], budget: int) -> None:
    queue = RowQueue()
    for number, rows in enumerate(long):
        queue.add(number, rows, "interactive")
    queue.add(99, 1, "interactive")
    assert 99 in {s.block for s in queue.take(budget)}


def test_removed_rows_are_not_handed_out() -> None:
    queue = RowQueue()
    queue.add(1, 10, "interactive")
    queue.add(2, 5, "interactive")
    assert queue.take(4) == [Slice(1, 0, 2), Slice(2, 0, 2)]
    queue.remove(1)
    assert len(queue) == 3
    assert queue.take(99) == [Slice(2, 2, 5)]
    assert not queue
    queue.remove(7)


@pytest.mark.parametrize(("block", "rows"), [(1, 3), (2, 0)])
def test_refused(block: int, rows: int) -> None:
    queue = RowQueue()
    queue.add(1, 3, "interactive")
    with pytest.raises(ValueError, match="cannot be added"):
        queue.add(block, rows, "interactive")
