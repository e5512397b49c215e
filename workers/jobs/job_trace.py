"""The spans of one job in this worker: how long it was queued, and what its process consists of."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from broker import Claim
from schemas.errors import JobCancelled, ServiceError
from schemas.model_key import ModelKey
from schemas.telemetry.spans import Attribute, Span, SpanName, Tracer
from schemas.telemetry.trace_context import parse_traceparent


class JobTrace:
    """Begins with the claim of a job, below the span that submitted it, or a trace of its own where that is unknown.

    The job's own thread, and that of the coalesced run which computes it, record its spans in turn.

    Attributes:
        span: `process`, which lasts until the job's end is stored.
    """

    __slots__ = ("_is_ended", "_tracer", "span")

    def __init__(self, tracer: Tracer, claim: Claim) -> None:
        claimed_ns = time.time_ns()
        # By the clock of this process, so that the spans of a job follow one another here; the length is the store's.
        queued_ns = claimed_ns - 1_000_000 * max(0, claim.started_ms - claim.created_ms)
        submit = parse_traceparent(claim.spec.traceparent)
        self._tracer = tracer
        self._is_ended = False
        self.span = tracer.start("process", submit, kind="consumer", attributes=_attributes(claim), at_ns=claimed_ns)
        if submit is not None and self.span.context.is_sampled:  # without `submit` it would be a trace of its own
            tracer.start("queued", submit, at_ns=queued_ns).end(claimed_ns)

    def start(self, name: SpanName) -> Span | None:
        """Begins a span below `process`; None where that is not recorded, since no sampler then records it."""
        return self._tracer.start(name, self.span) if self.span.context.is_sampled else None

    def end(self, outcome: str, *, error: str | None = None, rows: int = 0, passes: int = 0) -> None:
        """Ends the trace; what ends it again changes nothing.

        Args:
            outcome: `succeeded`, `failed`, `cancelled`, `released`, `stalled` or `lost`.
            error: the code of the job's error.
            rows, passes: that the job has taken.
        """
        if self._is_ended:
            return
        self._is_ended = True
        self.span.annotate({"attribution.outcome": outcome, "attribution.rows": rows, "attribution.passes": passes})
        if error is not None:
            self.span.fail(error)
        self.span.end()


@contextmanager
def stage(trace: JobTrace | None, name: SpanName) -> Iterator[None]:
    """Records the body as a span of the job. Does nothing without a trace."""
    span = None if trace is None else trace.start(name)
    if span is None:
        yield
        return
    try:
        yield
    except BaseException as error:
        fail_with(span, error)
        raise
    finally:
        span.end()


def fail_with(span: Span, error: BaseException) -> None:
    """Marks a span as failed with the error's code, or its class, since its message may hold input. That a job was
    cancelled is no failure."""
    if not isinstance(error, JobCancelled):
        span.fail(error.code if isinstance(error, ServiceError) else type(error).__name__)


def _attributes(claim: Claim) -> dict[str, Attribute]:
    """By the conventions of messaging where these have a name."""
    spec = claim.spec
    return {
        "messaging.system": "redis",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": str(ModelKey(spec.model, spec.version)),
        "messaging.message.id": claim.job_id,
        "attribution.method": str(spec.method["name"]),
        "attribution.priority": spec.priority,
        "attribution.examples": spec.examples,
        "attribution.attempt": claim.attempt,
    }
