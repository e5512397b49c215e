"""What a client has seen of one job."""

from dataclasses import dataclass, field
from typing import Any

from tests.soak.plan import JobPlan


@dataclass
class JobTrace:
    """Times are `time.time()`. `digests`: of the result's safetensors, one for each time that it was read."""

    plan: JobPlan
    accepted_at_s: float | None = None
    ended_at_s: float | None = None
    job_id: str | None = None
    job: dict[str, Any] = field(default_factory=dict)  # as last seen
    digests: set[str] = field(default_factory=set)
    tensors: bytes = b""  # of the first read
    meta: dict[str, Any] = field(default_factory=dict)  # of the result, where it is read as JSON
    repeated_ids: set[str] = field(default_factory=set)  # the service's answers to repeats of the key
    refusals: dict[int, int] = field(default_factory=dict)  # tries that were refused, by status
    cuts: int = 0  # tries that ended in a broken connection
    confirmed_cancel: bool = False
    expired: bool = False  # the client came back later than the job is kept
    faults: list[str] = field(default_factory=list)

    @property
    def status(self) -> str:
        return str(self.job.get("status", "unknown"))

    @property
    def took_s(self) -> float:
        """From the answer that accepted the job to its end as the client saw it."""
        return (self.ended_at_s or 0.0) - (self.accepted_at_s or 0.0)
