"""One turn at a time, in the order of asking; and a place on the device for each pass."""

import threading
from collections import deque
from collections.abc import Callable
from time import perf_counter
from typing import Any

import pytest
import torch

from workers.engine.device.gate import DeviceGate
from workers.engine.device.pass_device import L, Launched, PassDevice, PendingPass


def test_turns_come_in_the_order_of_asking() -> None:
    gate, order = DeviceGate(), []
    threads = []
    with gate:
        for number in range(8):
            threads.append(threading.Thread(target=lambda number=number: gate.run(lambda: order.append(number), 1)))
            threads[-1].start()
            while len(gate._queue) <= number:  # it has asked
                threading.Event().wait(0.001)
        assert order == []
    for thread in threads:
        thread.join(30)
    assert order == list(range(8))


def test_the_time_of_turns_adds_up_and_never_falls() -> None:
    gate = DeviceGate()
    began, go, seen = threading.Event(), threading.Event(), [gate.busy_s()]
    assert seen == [0.0]
    thread = threading.Thread(target=gate.run, args=(lambda: (began.set(), go.wait(30)), 1))
    thread.start()
    began.wait(30)
    seen += [gate.busy_s(), gate.busy_s()]
    assert seen[-1] > 0, "the present turn counts"
    go.set()
    thread.join(30)
    seen += [gate.busy_s(), gate.busy_s()]
    assert seen == sorted(seen)
    assert seen[-1] == seen[-2], "nothing has the device"


def test_values_and_errors_come_back_and_the_gate_opens_again() -> None:
    gate = DeviceGate()
    for threads in (None, 1, 2):
        assert gate.run(lambda: 7, threads) == 7
        with pytest.raises(ZeroDivisionError):
            gate.run(lambda: 1 // 0, threads)


def test_passes_of_several_threads_run_in_one_thread_whoever_asks() -> None:
    gate, found = DeviceGate(), []

    def work() -> None:
        found.append((threading.current_thread().name, torch.get_num_threads()))

    askers = [threading.Thread(target=gate.run, args=(work, 2)) for _ in range(3)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join(30)
    assert len(set(found)) == 1
    assert found[0][1] == 2


class ByHand(PassDevice):
    """Ends its passes when it is told to, and says that it is free when it is told to say so."""

    depth = 2

    def __init__(self) -> None:
        super().__init__()
        self.pending: deque[PendingPass[Any]] = deque()
        self.free_in_s = 0.0

    @property
    def free_at_s(self) -> float:
        return perf_counter() + self.free_in_s

    def submit(self, launch: Callable[[], L]) -> PendingPass[L]:
        self.pending.append(PendingPass(launch(), 0.0, 0.0, 0.0))
        return self.pending[-1]

    def end_one(self) -> None:
        self.pending.popleft().complete()


def submit(gate: DeviceGate) -> None:
    gate.submit(lambda: Launched(1, 1, 0.0), 1)


def test_one_pass_runs_and_one_waits_and_only_a_full_one_waits_for_long() -> None:
    device = ByHand()
    gate = DeviceGate(device)
    assert gate.wait_s(full=False) == gate.wait_s(full=True) == 0, "nothing is on the device"
    submit(gate)
    device.free_in_s = 1.0
    assert gate.wait_s(full=True) == 0
    assert 0.5 < gate.wait_s(full=False) < 1, "rows gather until just before the device is free"
    device.free_in_s = 0.0
    assert gate.wait_s(full=False) == 0
    submit(gate)
    assert gate.wait_s(full=True) is gate.wait_s(full=False) is None
    device.end_one()
    assert gate.wait_s(full=True) == 0
    device.end_one()
    assert gate.wait_s(full=False) == 0


def test_who_has_the_turn_hears_of_each_pass_that_is_done_and_nobody_else_does() -> None:
    device, heard = ByHand(), []
    gate = DeviceGate(device)
    submit(gate)
    submit(gate)
    submit(gate)
    with gate.turn(lambda: heard.append("first")):
        device.end_one()
    device.end_one()
    with gate.turn(lambda: heard.append("second")):
        device.end_one()
    assert heard == ["first", "second"]


def test_who_needs_the_device_alone_waits_until_its_passes_are_done() -> None:
    device = ByHand()
    gate, ran = DeviceGate(device), threading.Event()
    submit(gate)
    submit(gate)
    alone = threading.Thread(target=gate.run, args=(ran.set, 1))
    alone.start()
    device.end_one()
    assert not ran.is_set()
    device.end_one()
    alone.join(30)
    assert ran.is_set()


def test_a_launch_that_fails_takes_no_place() -> None:
    gate = DeviceGate(ByHand())
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            gate.submit(lambda: 1 // 0, 1)
    assert gate.wait_s(full=False) == 0
