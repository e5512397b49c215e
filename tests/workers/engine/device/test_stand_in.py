"""The stand-in keeps its own time: passes end in order, when their rows say."""

import threading
from itertools import pairwise
from time import perf_counter
from typing import Any

import pytest

from workers.engine.device.pass_device import Launched, PendingPass
from workers.engine.device.stand_in import StandIn

PASS_S, ROW_S = 0.004, 0.001


def launched(rows: int, passes: int = 1) -> Launched:
    return Launched(rows, passes, host_s=0.0)


def test_passes_end_in_order_and_take_the_time_of_their_rows() -> None:
    ended: list[PendingPass[Any]] = []
    all_ended = threading.Event()

    def observe(pending: PendingPass[Any]) -> None:
        ended.append(pending)
        if len(ended) == 3:
            all_ended.set()

    device, asked_s = StandIn(PASS_S, ROW_S, observe), perf_counter()
    pendings = [device.submit(lambda rows=rows: launched(rows)) for rows in (30, 1, 5)]
    assert not pendings[0].done.is_set(), "a submitted pass is not done"
    assert device.free_at_s == pendings[-1].ended_s
    assert all_ended.wait(30)
    assert ended == pendings
    assert pendings[0].began_s >= asked_s
    for pending, rows in zip(pendings, (30, 1, 5), strict=True):
        assert pending.seconds == pytest.approx(PASS_S + rows * ROW_S)
        assert pending.ended_s - pending.began_s == pytest.approx(pending.seconds)
    for earlier, later in pairwise(pendings):
        assert later.began_s == earlier.ended_s, "the device is never idle between two passes"
    assert perf_counter() >= pendings[-1].ended_s
    assert device.busy_s() == pytest.approx(sum(pending.seconds for pending in pendings))


def test_a_device_that_was_idle_begins_at_once_and_was_not_busy() -> None:
    device = StandIn(PASS_S, ROW_S)
    assert device.busy_s() == 0.0
    first = device.submit(lambda: launched(4, passes=2))
    assert first.seconds == pytest.approx(2 * PASS_S + 4 * ROW_S)
    assert first.done.wait(30)
    before_s = perf_counter()
    second = device.submit(lambda: launched(0, passes=0))
    assert second.began_s >= before_s
    assert second.done.wait(30)
    assert device.busy_s() == pytest.approx(first.seconds)
    assert device.alive


def test_a_launch_that_fails_leaves_no_pass() -> None:
    device = StandIn(PASS_S, ROW_S)
    with pytest.raises(ZeroDivisionError):
        device.submit(lambda: 1 // 0)
    assert device.submit(lambda: launched(1)).done.wait(30)
    assert device.busy_s() == pytest.approx(PASS_S + ROW_S)
