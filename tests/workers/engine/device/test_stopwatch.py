"""Other processes do not make a computation seem longer than it is."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from mmap import mmap
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from time import perf_counter

import pytest

from workers.engine.device import stopwatch
from workers.engine.device.stopwatch import Stopwatch

LOOP = "import os\nos.sched_setaffinity(0, {int(input())})\nprint(flush=True)\nwhile True: pass"
tells_waits = any(ran_s for ran_s, _ in stopwatch._ran_and_waited().values())


@contextmanager
def rivals(core: int, number: int) -> Iterator[None]:
    """So many processes that compute on a core all the time."""
    loops = [
        subprocess.Popen([sys.executable, "-c", LOOP], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(number)
    ]
    try:
        for loop in loops:
            assert loop.stdin is not None
            assert loop.stdout is not None
            loop.stdin.write(f"{core}\n")
            loop.stdin.flush()
            loop.stdout.readline()  # it runs
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.communicate()


@pytest.mark.skipif(not tells_waits, reason="the system does not tell when threads wait")
def test_waits_for_a_core_are_taken_off() -> None:
    cores = os.sched_getaffinity(0)
    core = min(cores)
    os.sched_setaffinity(0, {core})
    try:
        with rivals(core, 3):
            _, undisturbed_s, took_s = bounded(millions=6)
    finally:
        os.sched_setaffinity(0, cores)
    # A fair share is a quarter of the core. The half leaves room for what else the machine does.
    assert undisturbed_s < 0.5 * took_s


def test_only_threads_that_compute_are_asked_for_their_waits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The busiest thread and one that ran for 0.6 of its time compute; the others wait for something else."""
    monkeypatch.setattr(stopwatch, "THREADS", tmp_path)
    monkeypatch.setattr(stopwatch, "SHORTEST_S", 0.0)
    monkeypatch.setattr(stopwatch, "_user_and_kernel_s", lambda: (0.0, 0.0))
    clock = iter([100.0, 101.0])
    monkeypatch.setattr(stopwatch, "perf_counter", lambda: next(clock))
    before = {"1": (5.0, 5.0), "2": (0.0, 0.0), "3": (0.0, 0.0)}
    after = {"1": (5.5, 5.25), "2": (0.3, 0.4), "3": (0.2, 0.75), "4": (0.0, 0.9)}  # the last began meanwhile
    write_schedstat(tmp_path, before)
    watch = Stopwatch(2)
    write_schedstat(tmp_path, after)
    assert watch.undisturbed_s() == pytest.approx(1.0 - 0.4)


def test_no_computation_is_shorter_than_its_own_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One thread waits while another is in the kernel: both are taken off, though they overlap."""
    monkeypatch.setattr(stopwatch, "THREADS", tmp_path)
    clock, used = iter([100.0, 101.0]), iter([(3.0, 1.0), (3.6, 2.0)])
    monkeypatch.setattr(stopwatch, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(stopwatch, "_user_and_kernel_s", lambda: next(used))
    write_schedstat(tmp_path, {"1": (0.0, 0.0)})
    watch = Stopwatch(2)
    write_schedstat(tmp_path, {"1": (0.1, 0.9)})
    assert watch.undisturbed_s() == pytest.approx(0.3)


def write_schedstat(folder: Path, threads: dict[str, tuple[float, float]]) -> None:
    """As Linux does: nanoseconds on a core, nanoseconds ready without one, and turns."""
    for thread, seconds in threads.items():
        (folder / thread).mkdir(exist_ok=True)
        numbers = (*(int(1e9 * one) for one in seconds), 7)
        (folder / thread / "schedstat").write_text(" ".join(map(str, numbers)) + "\n")


def test_time_in_the_kernel_is_taken_off() -> None:
    watch, began_s, block = Stopwatch(1), perf_counter(), bytes(2**20)
    kernel_s = getrusage(RUSAGE_SELF).ru_stime
    while getrusage(RUSAGE_SELF).ru_stime - kernel_s < 0.3:
        with mmap(-1, 64 * 2**20) as pages:  # each is made ready when it is first written
            for _ in range(64):
                pages.write(block)
    undisturbed_s = watch.undisturbed_s()
    took_s = perf_counter() - began_s
    assert undisturbed_s <= took_s - 0.25


def test_where_the_system_does_not_tell_all_time_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(stopwatch, "THREADS", tmp_path / "none")
    monkeypatch.setattr(stopwatch, "_user_and_kernel_s", lambda: (0.0, 0.0))
    least_s, undisturbed_s, most_s = bounded(millions=6)
    assert least_s <= undisturbed_s <= most_s


def test_a_short_time_counts_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = count()
    monkeypatch.setattr(
        stopwatch, "_user_and_kernel_s", lambda: (0.0, float(next(calls)))
    )  # a second more at each call
    monkeypatch.setattr(stopwatch, "SHORTEST_S", 1_000.0)
    least_s, undisturbed_s, most_s = bounded(millions=0)
    assert least_s <= undisturbed_s <= most_s


def bounded(millions: int) -> tuple[float, float, float]:
    """The least and the most seconds that a stopwatch may tell when nothing is taken off, around what it tells."""
    before_s = perf_counter()
    watch = Stopwatch(1)
    began_s = perf_counter()
    for _ in range(millions * 1_000_000):
        pass
    ended_s = perf_counter()
    undisturbed_s = watch.undisturbed_s()
    return ended_s - began_s, undisturbed_s, perf_counter() - before_s
