"""Pauses that grow after each failure."""

from __future__ import annotations


class Backoff:
    """Pauses that double from `first_s` up to `most_s` seconds."""

    def __init__(self, first_s: float, most_s: float) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._next_s = first_s

    def next_s(self) -> float:
        """The next pause, in seconds."""
        pause_s = self._next_s
        self._next_s = min(2 * pause_s, self._most_s)
        return pause_s

    def reset(self) -> None:
        """Returns to the shortest pause."""
        self._next_s = self._first_s
