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


def return_freed_memory() -> None:
    """Gives what is free back to the kernel: for when a model has left, or memory is short."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):
        libc.malloc_trim(0)
