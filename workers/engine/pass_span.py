"""The span of the engine's work: of each pass of the shared lane, and of each call of the solo lane.

A pass holds rows of several jobs, and a span has one parent. So the pass is linked with the span of every job whose
rows it holds, and stands in the trace of the first of them. The spans of the others are linked with it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from schemas.errors import ServiceError
from schemas.telemetry.spans import Span, Tracer
from workers.engine.work import Work


@contextmanager
def pass_span(tracer: Tracer | None, work: Work) -> Iterator[None]:
    """Records the body, which runs the work, where a job of it has a span. Raises what the body raises."""
    span = None if tracer is None else _begun(tracer, work)
    if span is None:
        yield
        return
    try:
        yield
    except Exception as error:  # its message may hold input
        span.fail(error.code if isinstance(error, ServiceError) else type(error).__name__)
        raise
    finally:
        span.annotate({"attribution.rows": work.rows})  # of the solo lane they are known now
        span.end()


def _begun(tracer: Tracer, work: Work) -> Span | None:
    """The span of work that begins; None where none of its jobs has a span."""
    spans = list(dict.fromkeys(span for pending in work.pendings() for span in pending.task.spans))
    if not spans:
        return None
    made = tracer.start(
        "pass",
        spans[0],
        attributes={"attribution.lane": "shared" if work.packed else "solo", "attribution.jobs": len(spans)},
        links=[span.context for span in spans],
    )
    for span in spans[1:]:
        span.link(made.context)
    return made
