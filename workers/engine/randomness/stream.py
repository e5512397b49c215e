"""One random stream per job, though Captum draws from the global generators of the process."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import numpy as np
import torch

from workers.engine.randomness.cpu_draws import CpuDraws

_GENERATORS = threading.Lock()  # held by the thread that uses the global generators of torch, numpy and random


class RandomStream:
    """A job's random numbers. Use it as a context manager around the code that draws.

    A job that draws holds the global generators while it runs Captum's code, with its own state swapped in, and gives
    them up while its rows are computed. So a seed gives the same numbers whatever else runs, and the same as a direct
    Captum call on the CPU after `torch.manual_seed(seed)` and `numpy.random.seed(seed)`.

    Args:
        seed: of all three generators.
        device: that the numbers are for. They are drawn on the CPU, so a seed gives equal numbers on every device.
    """

    def __init__(self, seed: int, device: torch.device) -> None:
        self._cpu_draws: Any = None if device.type == "cpu" else CpuDraws()  # type: ignore[no-untyped-call]
        self._torch = torch.Generator().manual_seed(seed).get_state()
        self._numpy: Any = np.random.RandomState(seed).get_state()
        self._python = random.Random(seed).getstate()

    def __enter__(self) -> "RandomStream":
        _GENERATORS.acquire()
        torch.set_rng_state(self._torch)
        np.random.set_state(self._numpy)
        random.setstate(self._python)
        if self._cpu_draws is not None:
            self._cpu_draws.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._cpu_draws is not None:
            self._cpu_draws.__exit__(kind, value, trace)
        self._torch = torch.get_rng_state()
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
