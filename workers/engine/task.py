"""What the engine knows of a job: its priority, whether it still wants an answer, what it has cost."""

import threading
from dataclasses import dataclass, field

from schemas.jobs import Targets
from schemas.requests import Priority
from workers.engine.randomness import RandomStream


@dataclass(slots=True, eq=False)
class Task:
    """One job inside an engine. Counters are written by the engine's thread alone."""

    id: str
    priority: Priority = "interactive"
    random: RandomStream | None = None  # set for methods that draw
    seed: int = 0  # of the job, for models that draw
    cancelled: threading.Event = field(default_factory=threading.Event)
    rows: int = 0  # computed so far
    passes: int = 0  # passes that held rows of this job
    pass_s: float = 0.0  # time of those passes
    pass_rows: int = 0  # rows of those passes, of all jobs
    parked_s: float = 0.0  # time spent waiting for answers; written by the job's own thread
    total_rows: int = 0  # expected
    targets: Targets | None = None  # the outputs explained, once known
