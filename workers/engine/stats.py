"""Counters of an engine, for metrics and for tests."""

from dataclasses import dataclass


@dataclass(slots=True)
class EngineStats:
    """Sums since the start. Written by the engine's thread alone, but `seconds` by the one that settles passes.

    Attributes:
        passes: through the model.
        rows: of those passes.
        seconds: for which the device has computed them, by its own clock.
        oom: times that work ran again because memory was short.
        solo_passes: those of methods that hook the model.
        solo_rows: of these passes.
        shared_capacity_rows: that the other passes had room for.
    """

    passes: int = 0
    rows: int = 0
    seconds: float = 0.0
    oom: int = 0
    solo_passes: int = 0
    solo_rows: int = 0
    shared_capacity_rows: int = 0

    def count_shared(self, rows: int) -> None:
        """Adds a pass of the shared lane and the rows that it held."""
        self.rows += rows
        self.passes += 1

    def count_solo(self, rows: int, passes: int) -> None:
        """Adds passes of the solo lane and the rows that they held."""
        self.rows += rows
        self.passes += passes
        self.solo_rows += rows
        self.solo_passes += passes
