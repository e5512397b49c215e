"""The seam between engines and what computes their passes.

An engine submits a pass and goes on. The device computes passes one after another, in the order of submission, by a
clock of its own, and tells when each is done.
"""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import ClassVar, Generic, TypeVar


@dataclass(frozen=True, slots=True)
class Launched:
    """What the launch of a pass gave the device to compute.

    Attributes:
        rows: through the model.
        passes: through the model: several, where a pass was run again in pieces, or a method makes its own.
        host_s: seconds that the calls of the model took which succeeded, by the clock of the host.
    """

    rows: int
    passes: int
    host_s: float


L = TypeVar("L", bound=Launched)


class PendingPass(Generic[L]):
    """A pass that a device has taken.

    Attributes:
        launched: what the device computes; its tensors may be read once the pass is done.
        began_s: when the device began or will begin it, by `perf_counter`.
        ended_s: when it ended or will end.
        seconds: for which the device has computed it; counts once it is done.
        done: set once its tensors may be read.
    """

    def __init__(self, launched: L, began_s: float, ended_s: float, seconds: float) -> None:
        self.launched = launched
        self.began_s = began_s
        self.ended_s = ended_s
        self.seconds = seconds
        self.done = threading.Event()
        self._lock = threading.Lock()
        self._calls: list[Callable[[PendingPass[L]], None]] = []

    def then(self, call: Callable[["PendingPass[L]"], None]) -> None:
        """Calls once the pass is done: now, or in the thread of the device, after the calls that came earlier."""
        with self._lock:
            if not self.done.is_set():
                self._calls.append(call)
                return
        call(self)

    def complete(self) -> None:
        """Marks the pass as done. For the device."""
        with self._lock:
            self.done.set()
        for call in self._calls:
            call(self)


class PassDevice(ABC):
    """Computes passes. One thread at a time may submit.

    Attributes:
        depth: passes that may be submitted and not done. With one, a submitted pass is done when `submit` returns. With
            two, one waits behind the one that runs, so that the device is never idle between them.
    """

    depth: ClassVar[int] = 1

    def __init__(self) -> None:
        # Seconds that have ended, and when the present ones began; one value, so that no reader sees half.
        self._occupied: tuple[float, float | None] = (0.0, None)

    @abstractmethod
    def submit(self, launch: Callable[[], L]) -> PendingPass[L]:
        """Launches a pass in the calling thread.

        Raises:
            Exception: whatever `launch` raises; the device then has no pass of it.
        """

    @property
    def free_at_s(self) -> float:
        """When all passes submitted so far are done, as far as the device can tell, by `perf_counter`."""
        return perf_counter()

    @property
    def alive(self) -> bool:
        """False once the device can complete no more passes."""
        return True

    def busy_s(self) -> float:
        """Seconds for which the device has computed, those of the present pass included."""
        occupied_s, began_s = self._occupied
        return occupied_s + (0.0 if began_s is None else perf_counter() - began_s)

    @contextmanager
    def occupied(self) -> Iterator[None]:
        """Around a computation whose end the caller waits for: the device is busy meanwhile."""
        occupied_s, began_s = self._occupied[0], perf_counter()
        self._occupied = (occupied_s, began_s)
        try:
            yield
        finally:
            self._occupied = (occupied_s + perf_counter() - began_s, None)


class HostDevice(PassDevice):
    """Computes each pass while it is launched, as a CPU does.

    CUDA runs behind it too: there a pass counts as done once its kernels are launched, and its time is that of the
    launch. Tensors that are read before they are computed are waited for by CUDA itself.
    """

    def submit(self, launch: Callable[[], L]) -> PendingPass[L]:
        began_s = perf_counter()
        with self.occupied():
            launched = launch()
        pending = PendingPass(launched, began_s, perf_counter(), launched.host_s)
        pending.complete()
        return pending
