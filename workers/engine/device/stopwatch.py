"""How long a computation takes, without what else the machine did meanwhile.

A model is loaded while other processes start, and the first pass of a size takes its memory from the operating system.
Both can double the time of a pass. Linux tells how long each thread was ready and had no core, and how long the process
was in the kernel, where pages of memory are made ready.
"""

import sys
from pathlib import Path
from time import perf_counter

if sys.platform != "win32":
    from resource import RUSAGE_SELF, getrusage

BUSY_SHARE = 0.5  # threads that ran for so much of the time of the busiest one compute; others wait for something else
SHORTEST_S = 0.1  # time in the kernel is counted by ticks of some milliseconds; shorter times are left as they are
THREADS = Path("/proc/self/task")


class Stopwatch:
    """Measures from its construction on.

    Args:
        threads: that compute, over which time in the kernel is spread.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._ran = _ran_and_waited()
        self._used = _user_and_kernel_s()
        self._began_s = perf_counter()

    def took_s(self) -> float:
        """Seconds so far."""
        return perf_counter() - self._began_s

    def undisturbed_s(self) -> float:
        """Seconds so far, without those for which a computing thread had no core or pages were made ready.

        Of less than `SHORTEST_S`, and where the system does not tell, nothing is taken off. What is left is at least
        the time of the process outside the kernel, spread over the threads.
        """
        took_s = self.took_s()
        if took_s < SHORTEST_S:
            return took_s
        used = zip(_user_and_kernel_s(), self._used, strict=True)
        user_s, kernel_s = ((now_s - before_s) / self._threads for now_s, before_s in used)
        return min(took_s, max(user_s, took_s - kernel_s - self._waited_s()))

    def _waited_s(self) -> float:
        """The longest that a computing thread waited for a core."""
        before = self._ran
        times = {
            thread: (ran_s - before.get(thread, (0.0, 0.0))[0], waited_s - before.get(thread, (0.0, 0.0))[1])
            for thread, (ran_s, waited_s) in _ran_and_waited().items()
        }
        most_s = max((ran_s for ran_s, _ in times.values()), default=0.0)
        return max((waited_s for ran_s, waited_s in times.values() if ran_s >= BUSY_SHARE * most_s), default=0.0)


def _ran_and_waited() -> dict[str, tuple[float, float]]:
    """By thread: seconds on a core, and seconds ready without one."""
    found = {}
    for folder in THREADS.iterdir() if THREADS.is_dir() else ():
        try:
            ran_ns, waited_ns, *_ = (folder / "schedstat").read_text().split()
        except (OSError, ValueError):  # the thread has ended, or the system does not tell
            continue
        found[folder.name] = (int(ran_ns) / 1e9, int(waited_ns) / 1e9)
    return found


def _user_and_kernel_s() -> tuple[float, float]:
    """Seconds for which threads of the process computed outside the kernel and in it, in all."""
    if sys.platform == "win32":
        return 0.0, 0.0
    used = getrusage(RUSAGE_SELF)
    return used.ru_utime, used.ru_stime
