"""What the service needs of a tracer. `cli.tracing` makes one of OpenTelemetry's SDK where an operator sets it up.

Nothing but that package imports the SDK. Where tracing is off there is no tracer, and code that would start a span
checks for None. No attribute may hold input data, or a text that a client has chosen freely.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from schemas.telemetry.trace_context import TraceContext

SpanKind = Literal["internal", "server", "producer", "consumer"]
Attribute = str | int | float | bool

# Names of spans but that of a request, which is its method and route, as the semantic conventions demand.
SpanName = Literal[
    "receive", "validate", "submit", "render", "queued", "process", "prepare", "explain", "pass", "finish"
]


class Span(Protocol):
    """A span that has begun."""

    @property
    def context(self) -> TraceContext:
        """By which other spans, and other processes, name this one."""

    def annotate(self, attributes: Mapping[str, Attribute]) -> None:
        """Adds attributes, or replaces them."""

    def rename(self, name: str) -> None:
        """Replaces the name."""

    def link(self, other: TraceContext) -> None:
        """Adds a link to another span."""

    def fail(self, error: str) -> None:
        """Marks the span as failed. `error` is a code or the name of a class, never a message."""

    def end(self, at_ns: int | None = None) -> None:
        """Ends the span, now or at a time in nanoseconds since the epoch."""


class Tracer(Protocol):
    """Starts spans. May be called from any thread, and never raises or waits because of the receiver."""

    def start(
        self,
        name: str,
        parent: Span | TraceContext | None,
        *,
        kind: SpanKind = "internal",
        attributes: Mapping[str, Attribute] | None = None,
        links: Sequence[TraceContext] = (),
        at_ns: int | None = None,
    ) -> Span:
        """A span that begins now, or at a time in nanoseconds since the epoch.

        Args:
            parent: a span of this process, or the context of one of another process; None begins a trace.
        """

    def close(self) -> None:
        """Sends what has ended, within seconds; what cannot be sent by then is dropped."""
