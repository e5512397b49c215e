"""The trace of the current request: that of the client's `traceparent`, or one of its own where tracing is on."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import structlog
from starlette.types import Scope

from schemas.errors import ServiceError
from schemas.telemetry.spans import Span, SpanKind, SpanName, Tracer
from schemas.telemetry.trace_context import HEADER, TraceContext, parse_traceparent

_HEADER = HEADER.encode()
_current: ContextVar["RequestTrace | None"] = ContextVar("request_trace", default=None)


class RequestTrace:
    """The trace of one request.

    Attributes:
        context: of the request's span; without a tracer, of the span in which the client has sent the request.
    """

    __slots__ = ("_span", "_tracer", "context")

    def __init__(self, context: TraceContext, tracer: Tracer | None = None, span: Span | None = None) -> None:
        self.context = context
        self._tracer = tracer
        self._span = span

    def start(self, name: SpanName, kind: SpanKind = "internal") -> Span | None:
        """Begins a span below that of the request; None where that is not recorded: no sampler then records it."""
        if self._tracer is None or not self.context.is_sampled:
            return None
        return self._tracer.start(name, self._span, kind=kind)

    def end(self, method: str | None, route: str | None, status: int) -> None:
        """Ends the span of the request.

        Args:
            method: None for one that HTTP does not define.
            route: the template of its path; None for an unknown path.
            status: 0 if there was no response.
        """
        if self._span is None:
            return
        self._span.rename(" ".join([method or "HTTP", *([route] if route else [])]))
        self._span.annotate({"http.request.method": method or "_OTHER"})
        if route is not None:
            self._span.annotate({"http.route": route})
        if status:
            self._span.annotate({"http.response.status_code": status})
        if status >= 500 or not status:
            self._span.fail(str(status) if status else "no_response")
        self._span.end()


def begin_request(scope: Scope, tracer: Tracer | None) -> RequestTrace | None:
    """Makes the trace of a request that begins the current one; None where it has none."""
    found = [value for name, value in scope["headers"] if name == _HEADER]
    sent = parse_traceparent(found[0].decode("latin-1")) if len(found) == 1 else None  # of several none can be believed
    trace = None
    if tracer is not None:
        # Not the path, which the conventions ask for: a client may write what it likes into one of no route.
        span = tracer.start("HTTP", sent, kind="server", attributes={"url.scheme": scope.get("scheme", "http")})
        trace = RequestTrace(span.context, tracer, span)
    elif sent is not None:
        trace = RequestTrace(sent)
    _current.set(trace)
    if trace is not None:
        structlog.contextvars.bind_contextvars(trace_id=trace.context.trace_id)
    return trace


def current_trace() -> RequestTrace | None:
    """The trace of the current request; None where it has none."""
    return _current.get()


def current_trace_id() -> str | None:
    """The id of the current request's trace; None where it has none."""
    trace = _current.get()
    return None if trace is None else trace.context.trace_id


@contextmanager
def traced(name: SpanName, kind: SpanKind = "internal") -> Iterator[Span | None]:
    """Records the body as a span of the current request. Does nothing where tracing is off."""
    trace = _current.get()
    span = None if trace is None else trace.start(name, kind)
    if span is None:
        yield None
        return
    try:
        yield span
    except ServiceError as error:
        span.fail(error.code)
        raise
    except BaseException as error:
        span.fail(type(error).__name__)
        raise
    finally:
        span.end()
