"""The submission of a job, as metrics and traces see it."""

from collections.abc import Iterator
from contextlib import contextmanager

from broker import NewJob, Submitted
from schemas.model_key import ModelKey
from schemas.telemetry.spans import Attribute
from service.monitoring.http_metrics import HttpMetrics
from service.monitoring.request_trace import current_trace, traced


class Submitting:
    """A job on its way to the store.

    Attributes:
        job: with the trace that it is submitted in.
        submitted: what the store has answered; to be set by the one who submits the job.
    """

    __slots__ = ("job", "submitted")

    def __init__(self, job: NewJob) -> None:
        self.job = job
        self.submitted: Submitted


@contextmanager
def submitting(metrics: HttpMetrics, job: NewJob) -> Iterator[Submitting]:
    """Counts how the body, which submits a job, ends, and records it as a span. Raises what the body raises."""
    trace = current_trace()
    with metrics.admitting(job.spec.owner), traced("submit", "producer") as span:
        if trace is not None:
            context = trace.context if span is None else span.context
            job = job._replace(spec=job.spec.model_copy(update={"traceparent": context.traceparent}))
        one = Submitting(job)
        yield one
        metrics.submitted(one.submitted)
        if span is not None:
            span.annotate(_attributes(one.submitted))


def _attributes(submitted: Submitted) -> dict[str, Attribute]:
    """By the conventions of messaging where these have a name."""
    spec = submitted.record.spec
    return {
        "messaging.system": "redis",
        "messaging.operation.name": "submit",
        "messaging.operation.type": "send",
        "messaging.destination.name": str(ModelKey(spec.model, spec.version)),
        "messaging.message.id": submitted.record.id,
        "attribution.method": spec.method["name"],
        "attribution.priority": spec.priority,
        "attribution.rows": submitted.record.total,
        "attribution.submit.outcome": submitted.outcome,
    }
