"""Counters of an engine, for metrics and for tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter


@dataclass(slots=True)
class EngineStats:
    """Sums since the start. Written by the engine's thread alone.

    Attributes:
        passes: through the model.
        rows: of those passes.
        seconds: spent on work that succeeded.
        oom: times that work ran again because memory was short.
    """

    passes: int = 0
    rows: int = 0
    seconds: float = 0.0
    oom: int = 0

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Adds the time of the body, unless it raises."""
        start_s = perf_counter()
        yield
        self.seconds += perf_counter() - start_s

    def count(self, rows: int, passes: int) -> None:
        """Adds passes and the rows that they held."""
        self.rows += rows
        self.passes += passes
