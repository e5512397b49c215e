"""Workers keep freed memory and gateways freed blocks, so that neither faults the same memory in again and again."""

import os
import subprocess
import sys

import pytest

from workers.engine.device.allocator import IdleMemory

# 96 MiB, more than a thread's own arena can hold, taken and freed in a thread as an engine does.
PROGRAM = """
import resource, sys, threading
from workers.engine.device.allocator import keep_freed_memory, return_freed_memory

MIB = 1 << 20

def resident_mib():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() / MIB

if sys.argv[1] == "keep":
    assert keep_freed_memory()

def passes():
    bytearray(96 * MIB)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(4):
        bytearray(96 * MIB)
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
    kept = resident_mib()
    return_freed_memory()
    print(faults, kept - resident_mib())

thread = threading.Thread(target=passes)
thread.start()
thread.join()
"""


def run(mode: str) -> tuple[int, float]:
    done = subprocess.run([sys.executable, "-c", PROGRAM, mode], capture_output=True, text=True, check=True)
    faults, returned_mib = done.stdout.split()
    return int(faults), float(returned_mib)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's settings")
def test_freed_memory_is_kept_until_it_is_returned() -> None:
    faults, returned_mib = run("keep")
    assert faults < 100
    assert returned_mib > 90


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's settings")
def test_without_it_every_pass_faults_its_memory_in() -> None:
    faults, _ = run("leave")
    assert faults > 1_000


def test_idle_memory_is_returned_once() -> None:
    memory = IdleMemory(after_s=30)
    assert not memory.observe(busy=False, now_s=100)  # nothing has run yet
    assert not memory.observe(busy=True, now_s=110)
    assert not memory.observe(busy=False, now_s=139)
    assert memory.observe(busy=False, now_s=140)
    assert not memory.observe(busy=False, now_s=200)
    memory.observe(busy=True, now_s=210)
    assert memory.observe(busy=False, now_s=240)


GATEWAY = """
import resource, sys

MIB = 1 << 20
if sys.argv[1] == "keep":
    from workers.engine.device.allocator import keep_freed_blocks
    assert keep_freed_blocks()

def faults(size, times):
    bytearray(size)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(times):
        first, second = bytearray(size), bytearray(size)
        del first, second
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults(MIB, 4)
print(faults(MIB, 20), faults(32 * MIB, 2))
"""


def gateway_faults(mode: str) -> tuple[int, int]:
    done = subprocess.run([sys.executable, "-c", GATEWAY, mode], capture_output=True, text=True, check=True)
    result, photograph = done.stdout.split()
    return int(result), int(photograph)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's settings")
def test_blocks_of_a_results_size_are_kept_and_larger_ones_given_back() -> None:
    result, photograph = gateway_faults("keep")
    assert result < 100
    assert photograph > 10_000  # each time anew


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's settings")
def test_without_it_each_result_faults_its_memory_in() -> None:
    assert gateway_faults("leave")[0] > 1_000


THREADS = """
import os, threading

from workers.engine.device.allocator import keep_freed_blocks
assert keep_freed_blocks()
MIB = 1 << 20

def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // MIB

def compute():
    results = [b"x" * MIB for _ in range(24)]
    del results
    done.release()
    assert end.wait(60)  # the thread lives on, as those that compute do

before, done, end = resident(), threading.Semaphore(0), threading.Event()
for _ in range(16):
    threading.Thread(target=compute).start()
    assert done.acquire(timeout=60)
print(resident() - before)
end.set()
"""


def kept_mib(**variables: str) -> int:
    """What a gateway keeps after each of 16 threads has held results of 24 MiB, one thread after the other."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    command = [sys.executable, "-c", THREADS]
    return int(subprocess.run(command, capture_output=True, text=True, check=True, env={**others, **variables}).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's settings")
def test_a_gateway_keeps_the_memory_of_one_thread_not_of_each() -> None:
    assert kept_mib() < 80
    assert kept_mib(MALLOC_ARENA_MAX="64") > 200, "an arena for each thread"
