"""Middleware around every request: its id, its trace, one log line, its metrics, and the response to a defect."""

import asyncio
import random
import re
import time

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from schemas.telemetry.spans import Tracer
from service.http.cut import ResponseCut
from service.http.problems import internal_error
from service.monitoring.http_metrics import CLIENT_LEFT, HttpMetrics
from service.monitoring.request_trace import RequestTrace, begin_request

REQUEST_ID = re.compile(rb"^[A-Za-z0-9._-]{1,64}$")
# As job stores make them, the last part by one of several. A client may have put a secret there.
JOB_ID = re.compile(r"[A-Za-z0-9_-]{22}(-[a-z0-9]{1,16})?")
OTHER = "OTHER"  # as UNMATCHED, of methods
UNMATCHED = "unmatched"  # one label for all unknown paths, so that clients cannot add labels to the metrics
CLOSED = "the handler is closed"
KNOWN_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
PROBES = frozenset({"/healthz", "/readyz", "/v2/health/live", "/v2/health/ready", "/metrics"})
log = structlog.get_logger("service.access")


class AccessLog:
    """The outermost middleware. An exception that reaches it becomes a 500 problem document."""

    def __init__(self, app: ASGIApp, metrics: HttpMetrics, tracer: Tracer | None = None) -> None:
        self.app = app
        self.metrics = metrics
        self.tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        exchange = _Exchange(scope, send)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=exchange.request_id)
        trace = begin_request(scope, None if scope["path"] in PROBES else self.tracer)
        try:
            await self.app(scope, receive, exchange.send)
            if exchange.status and not exchange.is_complete:
                exchange.status = CLIENT_LEFT  # while its response was streamed
        except asyncio.CancelledError:  # at a stop, after its client was dropped
            exchange.status = CLIENT_LEFT
            raise
        except ClientDisconnect:
            exchange.status = CLIENT_LEFT  # while its body was read, or its response was sent
        except ResponseCut as cut:
            log.warning("response cut", route=exchange.route(), reason=str(cut))  # the server closes the connection
        except Exception:
            log.exception("defect", route=exchange.route())
            if not exchange.status:
                await internal_error()(scope, receive, exchange.send)
        finally:
            self._record(scope, exchange, trace)

    def _record(self, scope: Scope, exchange: "_Exchange", trace: RequestTrace | None) -> None:
        """Count the request in the metrics, write its log line and end its span."""
        elapsed_s = time.perf_counter() - exchange.began
        method = scope["method"] if scope["method"] in KNOWN_METHODS else OTHER
        route = exchange.route()
        self.metrics.observe(route, method, exchange.status, elapsed_s, None if trace is None else trace.context)
        write = log.debug if route in PROBES else log.info  # probes come every few seconds
        write(
            "request",
            method=method,
            route=route,
            status=exchange.status,
            ms=round(1000 * elapsed_s, 1),
            bytes=exchange.sent_bytes,
            **{k: v for k, v in scope.get("path_params", {}).items() if k == "job_id" and JOB_ID.fullmatch(v)},
        )
        if trace is not None:
            trace.end(None if method == OTHER else method, None if route == UNMATCHED else route, exchange.status)


class _Exchange:
    """One request and its response. `status` is 0 until the response begins."""

    def __init__(self, scope: Scope, send: Send) -> None:
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
        self.request_id = given.decode("ascii") if REQUEST_ID.match(given) else f"{random.getrandbits(128):032x}"
        self.began = time.perf_counter()
        self.status = 0
        self.sent_bytes = 0
        self.is_complete = False
        self._scope = scope
        self._send = send

    def route(self) -> str:
        """The route's template, such as `/jobs/{job_id}`."""
        path = getattr(self._scope.get("route"), "path", None)
        return path if isinstance(path, str) else UNMATCHED

    async def send(self, message: Message) -> None:
        """Pass a message on; add the request id to the headers, and keep the status and the number of bytes."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": [*message["headers"], (b"x-request-id", self.request_id.encode())]}
        elif message["type"] == "http.response.body":
            self.sent_bytes += len(message.get("body", b""))
            self.is_complete = not message.get("more_body", False)
        try:
            await self._send(message)
        except RuntimeError as error:  # what uvloop raises between the client's end of the connection and its report
            if CLOSED not in str(error):
                raise
            raise ClientDisconnect from None
