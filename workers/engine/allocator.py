"""The C library's allocator, told to keep what a pass frees for the next one.

Activations are tens of megabytes each. glibc maps every such block from the kernel and gives it back when it is freed,
so each pass of a CPU worker touches all of its memory for the first time: on EfficientNet-Lite0, 16 gradient rows meant
168,000 page faults and half as much time again.
"""

import ctypes
import os

# (parameter of <malloc.h>, value, the variable by which an operator sets it)
_SETTINGS = (
    (-4, 0, "MALLOC_MMAP_MAX_"),  # M_MMAP_MAX: no block has a mapping of its own
    (-1, -1, "MALLOC_TRIM_THRESHOLD_"),  # M_TRIM_THRESHOLD: the free end of the heap stays ours, whatever its size
    (-8, 1, "MALLOC_ARENA_MAX"),  # M_ARENA_MAX: other arenas hold no block above 64 MiB, and map those again
)


def keep_freed_memory() -> bool:
    """Call before the process starts its threads. False where the C library has no such settings.

    What the operator has set by glibc's own variables stands.
    """
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "mallopt"):
        return False
    if "GLIBC_TUNABLES" in os.environ:
        return False
    taken = [libc.mallopt(key, value) for key, value, variable in _SETTINGS if variable not in os.environ]
    return all(taken)


class IdleMemory:
    """Returns freed memory once nothing has run for a while: what one large job took is not held for ever.

    Args:
        after_s: seconds without work; the next pass faults its memory in again.
    """

    def __init__(self, after_s: float = 30.0) -> None:
        self._after_s = after_s
        self._busy_until: float | None = None  # None: returned, and nothing has run since

    def observe(self, *, busy: bool, now_s: float) -> bool:
        """Call now and then. True where memory was returned."""
        if busy:
            self._busy_until = now_s
        elif self._busy_until is not None and now_s - self._busy_until >= self._after_s:
            self._busy_until = None
            return_freed_memory()
            return True
        return False


def return_freed_memory() -> None:
    """Gives what is free back to the kernel: for when a model has left, or memory is short."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):
        libc.malloc_trim(0)
