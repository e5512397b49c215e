"""A receiver of OpenTelemetry's spans: a real HTTP server that reads what an exporter sends."""

import gzip
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status

LIMIT_S = 60.0


class Received(NamedTuple):
    """A span. `links` are pairs of trace and span, `parent` is empty where there is none."""

    name: str
    trace: str
    span: str
    parent: str
    kind: str
    start_ns: int
    end_ns: int
    attributes: dict[str, Any]
    links: list[tuple[str, str]]
    failed: bool
    message: str
    resource: dict[str, Any]


class Receiver:
    """Keeps every span that is sent to `/v1/traces`.

    Args:
        respond: answers in place of the receiver: gets the handler, whose request has been read.
    """

    def __init__(self, respond: Callable[[BaseHTTPRequestHandler], object] | None = None) -> None:
        self.spans: list[Received] = []
        self.requests = 0
        self.headers: list[dict[str, str]] = []
        self._changed = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                receiver.keep(self.path, dict(self.headers), body)
                if respond is not None:
                    respond(self)
                    return
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Stays silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """For `OTEL_EXPORTER_OTLP_ENDPOINT`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def keep(self, path: str, headers: dict[str, str], body: bytes) -> None:
        assert path == "/v1/traces"
        found = spans_of(body)
        with self._changed:
            self.requests += 1
            self.headers.append(headers)
            self.spans += found
            self._changed.notify_all()

    def wait_for(self, done: Callable[[list[Received]], bool], limit_s: float = LIMIT_S) -> list[Received]:
        """All spans, once they are as `done` says."""
        with self._changed:
            came = self._changed.wait_for(lambda: done(self.spans), limit_s)
            spans = list(self.spans)
        assert came, [(span.name, span.trace) for span in spans]
        return spans


def spans_of(body: bytes) -> list[Received]:
    """The spans of an OTLP request."""
    request = ExportTraceServiceRequest.FromString(body)
    return [
        _received(span, _attributes(group.resource.attributes))
        for group in request.resource_spans
        for scope in group.scope_spans
        for span in scope.spans
    ]


def _received(span: ProtoSpan, resource: dict[str, Any]) -> Received:
    return Received(
        name=span.name,
        trace=span.trace_id.hex(),
        span=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        kind=ProtoSpan.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
        start_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano,
        attributes=_attributes(span.attributes),
        links=[(link.trace_id.hex(), link.span_id.hex()) for link in span.links],
        failed=span.status.code == Status.STATUS_CODE_ERROR,
        message=span.status.message,
        resource=resource,
    )


def _attributes(pairs: Any) -> dict[str, Any]:
    def value(pair: KeyValue) -> Any:
        kind = pair.value.WhichOneof("value")
        return None if kind is None else getattr(pair.value, kind)

    return {pair.key: value(pair) for pair in pairs}
