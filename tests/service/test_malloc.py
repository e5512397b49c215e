"""A gateway's process keeps blocks of a result's size, so that each result does not fault its memory in again."""

import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys

MIB = 1 << 20
if sys.argv[1] == "keep":
    from service.malloc import keep_freed_blocks
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


def faults(mode: str) -> tuple[int, int]:
    done = subprocess.run([sys.executable, "-c", PROGRAM, mode], capture_output=True, text=True, check=True)
    result, photograph = done.stdout.split()
    return int(result), int(photograph)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's settings")
def test_blocks_of_a_results_size_are_kept_and_larger_ones_given_back() -> None:
    result, photograph = faults("keep")
    assert result < 100
    assert photograph > 10_000  # each time anew


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's settings")
def test_without_it_each_result_faults_its_memory_in() -> None:
    assert faults("leave")[0] > 1_000
