"""One pass at a time, in the order of asking."""

import threading

import pytest
import torch

from workers.engine.device.gate import DeviceGate


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
