"""Owners take turns: none is slowed down by how much another one sends."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from workers.engine.shared.packer import RowQueue
from workers.engine.solo.solo_call import SoloCall
from workers.engine.solo.solo_group import SoloLane, SoloRequest
from workers.engine.task import Task
from workers.engine.turns import Turns, fair_shares

names = st.sampled_from(["ana", "ben", "cai", ""])
blocks = st.lists(
    st.tuples(st.integers(1, 60), st.sampled_from(["interactive", "batch"]), names), min_size=1, max_size=25
)


@given(st.dictionaries(names, st.integers(1, 100), min_size=1), st.integers(0, 200))
def test_shares_are_equal_but_for_owners_that_need_less(demands: dict[str, int], budget: int) -> None:
    shares = fair_shares(demands, budget, list(demands))
    assert sum(shares.values()) == min(budget, sum(demands.values()))
    assert all(0 <= shares[owner] <= demands[owner] for owner in demands)
    most = max(shares.values())
    assert all(shares[owner] >= most - 1 for owner in demands if shares[owner] < demands[owner])


def test_the_first_in_order_get_what_cannot_be_split() -> None:
    assert fair_shares({"a": 9, "b": 9, "c": 9}, 5, ["c", "a", "b"]) == {"c": 2, "a": 2, "b": 1}


@given(blocks, st.integers(1, 40))
def test_every_row_once_and_passes_full(specs: list[tuple[int, str, str]], budget: int) -> None:
    queue = RowQueue()
    for number, (rows, priority, owner) in enumerate(specs):
        queue.add(number, rows, priority, owner)
    seen: dict[int, list[int]] = {number: [] for number in range(len(specs))}
    while queue:
        waiting = len(queue)
        slices = queue.take(budget)
        assert sum(s.rows for s in slices) == min(budget, waiting)
        for s in slices:
            seen[s.block].extend(range(s.start, s.stop))
    assert seen == {number: list(range(rows)) for number, (rows, *_) in enumerate(specs)}


@given(st.integers(1, 64), st.integers(1, 50))
def test_an_owner_with_one_block_has_half_the_rows_beside_any_number_of_anothers(budget: int, many: int) -> None:
    queue = RowQueue()
    for number in range(many):
        queue.add(number, 1_000, "interactive", "greedy")
    queue.add(many, 200, "interactive", "modest")
    granted = 0
    for _ in range(2):
        granted += sum(s.rows for s in queue.take(budget) if s.block == many)
    assert granted == budget, "half of two passes"


def test_with_one_row_a_pass_owners_alternate() -> None:
    queue = RowQueue()
    for number in range(10):
        queue.add(number, 3, "interactive", "greedy")
    queue.add(10, 5, "interactive", "modest")
    served = [queue.take(1)[0].block == 10 for _ in range(10)]
    assert sum(served) == 5
    assert not any(served[k] and served[k + 1] for k in range(9)), "none goes twice in a row while both wait"


def test_an_owner_that_was_away_has_earned_no_credit() -> None:
    turns = Turns()
    for _ in range(100):
        turns.serve(turns.order(["old"])[0], 1)
    order = []
    for _ in range(6):
        order.append(turns.order(["old", "new"])[0])
        turns.serve(order[-1], 1)
    assert order == ["old", "new"] * 3


def test_solo_requests_take_turns_among_owners() -> None:
    lane = SoloLane()
    for number, owner in enumerate(["greedy"] * 6 + ["modest"] * 2):
        call = SoloCall((torch.zeros(1, 2),), (), None, None)
        request = SoloRequest(Task(str(number), owner=owner), call, lambda view, call, rows: call.inputs, None)
        lane.add(request, number)
    order = [lane.take(4).requests[0].task.owner for _ in range(8)]
    assert order[:4] == ["greedy", "modest", "greedy", "modest"]
    assert order[4:] == ["greedy"] * 4
