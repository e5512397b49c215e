"""Settings of the C library's allocator. Imports neither torch nor anything else that is large.

glibc maps every large block from the kernel and returns it when it is freed, so that each use faults its pages in anew.

A pass of a CPU worker allocates activations of tens of megabytes each. On EfficientNet-Lite0, a pass of 16 gradient
rows took 168,000 page faults and half as much time again.

A gateway reads, encodes and sends results of some hundred kilobytes. On two virtual cores, page faults took most of the
time of reading one from the job store.
"""

import ctypes
import os

from workers.engine.tuning import IDLE_MEMORY_S

# (parameter of <malloc.h>, value, the variable by which an operator sets it)
_KEEP_ALL = (
    (-4, 0, "MALLOC_MMAP_MAX_"),  # M_MMAP_MAX: no block has a mapping of its own
    (-1, -1, "MALLOC_TRIM_THRESHOLD_"),  # M_TRIM_THRESHOLD: the free end of the heap is kept, whatever its size
    (-8, 1, "MALLOC_ARENA_MAX"),  # M_ARENA_MAX: other arenas hold no block above 64 MiB, and map those again
)
_KEEP_BLOCKS = (
    (-3, 4 * 2**20, "MALLOC_MMAP_THRESHOLD_"),  # larger blocks, such as decoded photographs, are returned at once
    (-1, 64 * 2**20, "MALLOC_TRIM_THRESHOLD_"),  # as much of the heap's free end is kept: of each arena
    (-8, 1, "MALLOC_ARENA_MAX"),  # M_ARENA_MAX: else each thread that computes has an arena, and keeps as much
)


def keep_freed_memory() -> bool:
    """Keeps all memory that a worker frees for its next pass. See `_set` for when to call it and what it returns."""
    return _set(_KEEP_ALL)


def keep_freed_blocks() -> bool:
    """Keeps blocks of a result's size that a gateway frees. See `_set` for when to call it and what it returns."""
    return _set(_KEEP_BLOCKS)


def return_freed_memory() -> None:
    """Returns free memory to the kernel, once a model is unloaded or memory is short."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):
        libc.malloc_trim(0)


class IdleMemory:
    """Returns freed memory once nothing has run for a while, so that a large job's memory is not held for ever.

    Args:
        after_s: seconds without work; the next pass faults its memory in again.
    """

    def __init__(self, after_s: float = IDLE_MEMORY_S) -> None:
        self._after_s = after_s
        self._busy_until: float | None = None  # None: returned, and nothing has run since

    def observe(self, *, busy: bool, now_s: float) -> bool:
        """To be called now and then. True if memory was returned."""
        if busy:
            self._busy_until = now_s
        elif self._busy_until is not None and now_s - self._busy_until >= self._after_s:
            self._busy_until = None
            return_freed_memory()
            return True
        return False


def _set(settings: tuple[tuple[int, int, str], ...]) -> bool:
    """Applies settings that the operator has not set by glibc's own variables.

    Must be called before the process starts threads. Returns False if the C library has no such settings.
    """
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "mallopt") or "GLIBC_TUNABLES" in os.environ:
        return False
    applied = [libc.mallopt(key, value) for key, value, variable in settings if variable not in os.environ]
    return all(applied)
