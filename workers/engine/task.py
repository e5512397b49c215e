"""A job as the engine sees it: its priority, whether it is cancelled, and what it has cost."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from schemas.jobs import Targets
from schemas.requests import Priority
from schemas.telemetry.spans import Span
from workers.engine.randomness.stream import RandomStream


@dataclass(slots=True, eq=False)
class Task:
    """One job inside an engine. The engine's thread alone writes the counters, except `parked_s`.

    Attributes:
        id: of the job.
        priority: of the job.
        owner: whose job it is; owners take turns.
        random: the random numbers of a method that draws.
        seed: of a model that draws.
        cancelled: set once the job is cancelled.
        rows: computed so far.
        passes: that held rows of this job.
        pass_s: seconds of those passes.
        pass_places: taken by the rows of those passes, of all jobs.
        parked_s: seconds for which the job has waited for the engine; written by the job's own thread.
        total_rows: expected; 0 while unknown.
        targets: the outputs explained, once they are determined.
        is_waiting: whether the job's own thread waits for something that other jobs hold: passes, memory, generators.
        pass_began_s: when the work of the engine began that computes this job now, by the monotonic clock; None while
            none does.
        pass_thread: the identifier of the thread that does that work.
        trace_id: of the job, for the log; None where it has none.
        spans: of the jobs for which the rows are computed, of those that are recorded: passes are linked with them.
    """

    id: str
    priority: Priority = "interactive"
    owner: str = ""
    random: RandomStream | None = None
    seed: int = 0
    cancelled: threading.Event = field(default_factory=threading.Event)
    rows: int = 0
    passes: int = 0
    pass_s: float = 0.0
    pass_places: int = 0
    parked_s: float = 0.0
    total_rows: int = 0
    targets: Targets | None = None
    is_waiting: bool = False
    pass_began_s: float | None = None
    pass_thread: int | None = None
    trace_id: str | None = None
    spans: tuple[Span, ...] = ()

    @property
    def names(self) -> dict[str, str]:
        """By which the log names the job."""
        return {"job": self.id} if self.trace_id is None else {"job": self.id, "trace_id": self.trace_id}

    @contextmanager
    def waits(self) -> Iterator[None]:
        """Marks the body as a wait of the job's own thread, which is no lack of progress."""
        before, self.is_waiting = self.is_waiting, True
        try:
            yield
        finally:
            self.is_waiting = before
