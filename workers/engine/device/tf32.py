"""Whether CUDA may compute in TF32: only while a pass runs whose model's operator asks for it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from schemas.precision import Precision

_SWITCH = threading.RLock()  # held while TF32 is on, or must stay off


def forbid_tf32() -> None:
    """Makes CUDA multiply and convolve float32 as float32. PyTorch's default for cuDNN is TF32."""
    _allow_tf32(False)


@contextmanager
def without_tf32() -> Iterator[None]:
    """Keeps TF32 off in this process. Passes that use it wait for the end."""
    with _SWITCH:
        forbid_tf32()
        yield


@contextmanager
def passes_in(precision: Precision) -> Iterator[None]:
    """Turns TF32 on if that is the precision. Must enclose forward and backward.

    The flags belong to the process, and are read when an operation is launched.
    """
    if precision != "tf32":
        yield
        return
    with _SWITCH:
        _allow_tf32(True)
        try:
            yield
        finally:
            _allow_tf32(False)


def _allow_tf32(allowed: bool) -> None:
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed
