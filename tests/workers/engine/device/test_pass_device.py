"""What a device does at once, and what it tells of its passes."""

import threading
from time import perf_counter

import pytest

from workers.engine.device.pass_device import HostDevice, Launched, PendingPass


def test_a_device_that_computes_at_once_has_no_pass_outstanding() -> None:
    device = HostDevice()
    launched = Launched(rows=3, passes=1, host_s=0.25)
    pending = device.submit(lambda: launched)
    assert pending.done.is_set()
    assert pending.launched is launched
    assert pending.seconds == 0.25, "only what succeeded counts"
    assert pending.began_s <= pending.ended_s <= device.free_at_s <= perf_counter()
    assert device.alive


def test_an_error_of_a_launch_is_the_callers_and_its_time_counts() -> None:
    device = HostDevice()
    with pytest.raises(ZeroDivisionError):
        device.submit(lambda: 1 // 0)
    assert device.busy_s() > 0
    busy_s = device.busy_s()
    assert device.busy_s() == busy_s, "nothing runs any more"


def test_calls_come_once_when_the_pass_is_done_or_at_once_after_that() -> None:
    pending, called = PendingPass(Launched(1, 1, 0.0), 0.0, 1.0, 1.0), []
    pending.then(lambda done: called.append(("first", done.done.is_set())))
    pending.then(lambda done: called.append(("second", done.done.is_set())))
    assert called == []
    pending.complete()
    pending.then(lambda done: called.append(("late", done.done.is_set())))
    assert called == [("first", True), ("second", True), ("late", True)]


def test_no_call_is_lost_where_passes_end_while_they_are_given() -> None:
    for _ in range(200):
        pending, called = PendingPass(Launched(1, 1, 0.0), 0.0, 1.0, 1.0), threading.Event()
        ends = threading.Thread(target=pending.complete)
        ends.start()
        pending.then(lambda _, called=called: called.set())
        ends.join(30)
        assert called.is_set()
