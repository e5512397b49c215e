"""An event that one thread waits for once."""

import threading


class Latch:
    """Closed until `set`. It has one lock: a thread that waits for a `threading.Event` wakes up only to wait for the
    event's own lock, and for whoever holds that."""

    __slots__ = ("_is_set", "_lock")

    def __init__(self) -> None:
        self._is_set = False
        self._lock = threading.Lock()
        self._lock.acquire()

    def is_set(self) -> bool:
        """True once it is open."""
        return self._is_set

    def set(self) -> None:
        """Opens it, once.

        Raises:
            RuntimeError: it was open, and nobody has waited yet.
        """
        self._is_set = True
        self._lock.release()

    def wait(self) -> None:
        """Returns once it is open. To be called once."""
        self._lock.acquire()
