"""How many CPU threads torch uses in the calling thread: the passes have the cores, jobs one each."""

import threading

import torch

_SETTING = threading.Lock()


def use_threads(count: int) -> None:
    """Sets the number for the calling thread and makes it stay.

    `torch.set_num_threads` sets the calling thread's number and a global one, and a thread's first operation takes the
    global one, whoever set it last. Asking for the number is such a first operation; done under a lock, each thread
    keeps its own.
    """
    with _SETTING:
        torch.set_num_threads(count)
        torch.get_num_threads()
