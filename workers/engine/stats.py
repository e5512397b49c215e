"""Counters of an engine, for metrics and for tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter


@dataclass(slots=True)
class EngineStats:
    """Sums since the start. Written by the engine's thread alone."""

    passes: int = 0
    rows: int = 0  # rows that went through the model
    seconds: float = 0.0  # inside passes
    oom: int = 0

    @contextmanager
    def timed(self, rows: int) -> Iterator[None]:
        """Counts a pass of `rows` rows and its time if it succeeds; 0 rows: the time alone."""
        start = perf_counter()
        yield
        self.seconds += perf_counter() - start
        if rows:
            self.count(rows, 1)

    def count(self, rows: int, passes: int) -> None:
        self.rows += rows
        self.passes += passes
