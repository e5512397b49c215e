"""One random stream per job, though Captum draws from the process's global generators.

A job that draws holds the generators while it runs Captum's code, with its own state swapped in, and gives them up
while its rows are computed. So a seed gives the same answer whatever runs beside it, and the same as a direct Captum
call after `torch.manual_seed(seed)` and `numpy.random.seed(seed)`.
"""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import numpy as np
import torch

_GENERATORS = threading.Lock()  # whoever holds it owns the global generators of torch, numpy and random


class RandomStream:
    """A job's random numbers. Use as a context manager around the code that draws."""

    def __init__(self, seed: int, device: torch.device) -> None:
        self._device = device
        self._torch = torch.Generator().manual_seed(seed).get_state()
        self._cuda = torch.Generator(device).manual_seed(seed).get_state() if device.type == "cuda" else None
        self._numpy: Any = np.random.RandomState(seed).get_state()
        self._python = random.Random(seed).getstate()

    def __enter__(self) -> "RandomStream":
        _GENERATORS.acquire()
        torch.set_rng_state(self._torch)
        if self._cuda is not None:
            torch.cuda.set_rng_state(self._cuda, self._device)
        np.random.set_state(self._numpy)
        random.setstate(self._python)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._torch = torch.get_rng_state()
        if self._cuda is not None:
            self._cuda = torch.cuda.get_rng_state(self._device)
        self._numpy = np.random.get_state()
        self._python = random.getstate()
        _GENERATORS.release()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Lets other jobs draw while this one waits for its rows."""
        self.__exit__(None, None, None)
        try:
            yield
        finally:
            self.__enter__()
