"""Thresholds of the C library's allocator, so that freed blocks of a result's size stay with the process.

A result of some hundred kilobytes is read, encoded and sent in blocks that glibc by default maps from the kernel and
unmaps when they are freed. On two virtual cores, the page faults of those maps took most of the time of reading one
result from the store.
"""

import ctypes
import os

from service.tuning import MMAP_THRESHOLD_BYTES, TRIM_THRESHOLD_BYTES

# (parameter of <malloc.h>, bytes, the environment variable by which an operator sets it)
_SETTINGS = (
    (-3, MMAP_THRESHOLD_BYTES, "MALLOC_MMAP_THRESHOLD_"),
    (-1, TRIM_THRESHOLD_BYTES, "MALLOC_TRIM_THRESHOLD_"),
)


def keep_freed_blocks() -> bool:
    """Set the thresholds. Call before the process starts threads.

    Thresholds that the operator has set by glibc's environment variables stay as they are.

    Returns:
        False if the C library has no such settings.
    """
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "mallopt") or "GLIBC_TUNABLES" in os.environ:
        return False
    taken = [libc.mallopt(key, value) for key, value, variable in _SETTINGS if variable not in os.environ]
    return all(taken)
