"""The C library's allocator, told to keep blocks of a result's size.

A result of some hundred kilobytes is read, encoded and sent in blocks that glibc would map from the kernel each time
and give back when they are freed. On two virtual cores, faulting them in took most of the time of reading one from the
store.
"""

import ctypes
import os

# (parameter of <malloc.h>, value, the variable by which an operator sets it)
_SETTINGS = (
    (-3, 4 * 2**20, "MALLOC_MMAP_THRESHOLD_"),  # larger blocks, such as decoded photographs, go back at once
    (-1, 64 * 2**20, "MALLOC_TRIM_THRESHOLD_"),  # as much of the heap's free end stays
)


def keep_freed_blocks() -> bool:
    """Call before the process starts its threads. False where the C library has no such settings.

    What the operator has set by glibc's own variables stands.
    """
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "mallopt") or "GLIBC_TUNABLES" in os.environ:
        return False
    taken = [libc.mallopt(key, value) for key, value, variable in _SETTINGS if variable not in os.environ]
    return all(taken)
