"""How many CPU threads torch uses in the calling thread. Passes use all cores, jobs one core each."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_SETTING = threading.Lock()


def use_threads(count: int) -> None:
    """Sets the number of CPU threads for the calling thread, whatever other threads set later.

    `torch.set_num_threads` sets the number of the calling thread and a global one. A thread's first operation takes
    the global number, whichever thread set it last. `torch.get_num_threads` counts as a first operation, so under a
    lock each thread keeps its own number.
    """
    with _SETTING:
        torch.set_num_threads(count)
        torch.get_num_threads()


@contextmanager
def threads_within(count: int) -> Iterator[None]:
    """Lets the calling thread use so many CPU threads while it is entered."""
    before = torch.get_num_threads()
    use_threads(count)
    try:
        yield
    finally:
        use_threads(before)
