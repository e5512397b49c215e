"""A tracer made of OpenTelemetry's SDK. Samplers, limits, headers and batches are read from the environment by it."""

import logging
import os
import threading
from collections.abc import Mapping, Sequence

import structlog
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http import trace_exporter as otlp_exporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    Status,
    StatusCode,
    TraceFlags,
    format_span_id,
    format_trace_id,
    set_span_in_context,
)
from opentelemetry.trace import Span as ApiSpan
from opentelemetry.trace import SpanKind as ApiKind

from cli.tracing.bounded_session import BoundedSession
from schemas.telemetry.spans import Attribute, Span, SpanKind
from schemas.telemetry.trace_context import TraceContext
from service.release import RELEASE

FLUSH_S = 2.0  # that the end of a process may wait for the receiver
KINDS: dict[SpanKind, ApiKind] = {
    "internal": ApiKind.INTERNAL,
    "server": ApiKind.SERVER,
    "producer": ApiKind.PRODUCER,
    "consumer": ApiKind.CONSUMER,
}
log = structlog.get_logger("tracing")


class SdkSpan:
    """A `Span` of the SDK."""

    __slots__ = ("context", "sdk_span")

    def __init__(self, sdk_span: ApiSpan) -> None:
        self.sdk_span = sdk_span
        own = sdk_span.get_span_context()
        self.context = TraceContext(format_trace_id(own.trace_id), format_span_id(own.span_id), own.trace_flags.sampled)

    def annotate(self, attributes: Mapping[str, Attribute]) -> None:
        self.sdk_span.set_attributes(attributes)

    def rename(self, name: str) -> None:
        self.sdk_span.update_name(name)

    def link(self, other: TraceContext) -> None:
        self.sdk_span.add_link(_sdk_context(other))

    def fail(self, error: str) -> None:
        self.sdk_span.set_attribute("error.type", error)
        self.sdk_span.set_status(Status(StatusCode.ERROR))

    def end(self, at_ns: int | None = None) -> None:
        self.sdk_span.end(at_ns)


class SdkTracer:
    """A `Tracer` of the SDK, with a thread that sends ended spans in batches. Its queue is bounded.

    The provider is not the global one: no library records anything of its own through it.

    Args:
        service, instance: as in `tracer_of_process`.
    """

    def __init__(self, service: str, instance: str | None = None) -> None:
        # Its warnings come with each try of each batch; its errors tell as much.
        logging.getLogger(otlp_exporter.__name__).setLevel(logging.ERROR)
        self._exporter = otlp_exporter.OTLPSpanExporter(session=BoundedSession())
        self._provider = TracerProvider(resource=_resource(service, instance), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer("attribution", RELEASE)
        log.info("tracing is on", sampler=self._provider.sampler.get_description())

    def start(
        self,
        name: str,
        parent: Span | TraceContext | None,
        *,
        kind: SpanKind = "internal",
        attributes: Mapping[str, Attribute] | None = None,
        links: Sequence[TraceContext] = (),
        at_ns: int | None = None,
    ) -> SdkSpan:
        return SdkSpan(
            self._tracer.start_span(
                name,
                _context_of(parent),
                kind=KINDS[kind],
                attributes=attributes,
                links=[Link(_sdk_context(one)) for one in links],
                start_time=at_ns,
            )
        )

    def close(self) -> None:
        """The SDK waits for its exporter for up to half a minute; this waits `FLUSH_S` and then ends its retries."""
        ending = threading.Thread(name="tracing ends", target=self._provider.shutdown, daemon=True)
        ending.start()
        ending.join(FLUSH_S)
        if ending.is_alive():
            # Otherwise its thread tries again and again in a process that goes on.
            self._exporter.shutdown()  # type: ignore[no-untyped-call]
            log.warning("spans dropped: their receiver did not take them in time")


def _resource(service: str, instance: str | None) -> Resource:
    """What all spans of this process have in common; what the operator says takes precedence."""
    own: dict[str, str | int] = {
        "service.name": service,
        "service.namespace": "attribution",
        "service.version": RELEASE,
        "service.instance.id": instance or f"{os.uname().nodename}-{os.getpid()}",
        "process.pid": os.getpid(),
    }
    return Resource.create({**own, **OTELResourceDetector().detect().attributes})


def _context_of(parent: Span | TraceContext | None) -> Context:
    if isinstance(parent, SdkSpan):
        return set_span_in_context(parent.sdk_span, Context())
    if isinstance(parent, TraceContext):
        return set_span_in_context(NonRecordingSpan(_sdk_context(parent)), Context())
    return Context()


def _sdk_context(context: TraceContext) -> SpanContext:
    flags = TraceFlags(TraceFlags.SAMPLED if context.is_sampled else TraceFlags.DEFAULT)
    return SpanContext(int(context.trace_id, 16), int(context.span_id, 16), is_remote=True, trace_flags=flags)
