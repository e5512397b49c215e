"""The ASGI application: routes, middleware, error handlers and lifespan."""

import asyncio
import re
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

from anyio import to_thread
from fastapi import FastAPI, Response
from fastapi.telemetry import TelemetryConfig
from starlette.middleware.cors import CORSMiddleware

from broker import Store
from schemas.telemetry.spans import Tracer
from service.dialects import kserve, open_inference, torchserve, vertex
from service.http import problems
from service.http.access_log import AccessLog
from service.http.asked_language import AskedLanguage
from service.http.body_limit import BodyLimit
from service.http.error_form import ErrorForm, ErrorForms
from service.http.sites import AllowedHosts, OwnOrigin, RelativeRedirects
from service.monitoring.http_metrics import HttpMetrics
from service.openapi import document as openapi
from service.release import RELEASE
from service.routes import (
    admin,
    compare,
    comparisons,
    docs,
    explain,
    health,
    jobs,
    methods,
    models,
    monitors,
    paths,
    results,
)
from service.settings import GatewaySettings
from service.state import Gateway, State, open_store
from service.web import page

DIALECTS = (open_inference, kserve, vertex, torchserve)
ERROR_FORMS: list[tuple[re.Pattern[str], ErrorForm]] = [(one.PATHS, one.error_form) for one in DIALECTS]
# FastAPI's own telemetry would record bodies that it finds not valid, wherever `FASTAPI_OTEL_AUTO_CONFIGURE` is set.
NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
CORS_METHODS = ("GET", "POST", "PUT", "DELETE")
CORS_REQUEST_HEADERS = (
    "Authorization",
    "Cache-Control",
    "Idempotency-Key",
    "If-None-Match",
    "Last-Event-ID",
    "Prefer",
    "X-Request-Id",
    "traceparent",
)
CORS_RESPONSE_HEADERS = ("Content-Location", "ETag", "Location", "Preference-Applied", "Retry-After", "X-Request-Id")


def create_app(settings: GatewaySettings, store: Store | None = None, tracer: Tracer | None = None) -> FastAPI:
    """The gateway as an ASGI application.

    Its lifespan must run: requests read the `Gateway` from the state that it yields.

    Args:
        store: the job store to use, which the caller closes. Default: the lifespan opens and closes one.
        tracer: of the spans of requests, which the lifespan closes. Default: none is recorded.
    """
    metrics = HttpMetrics()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[State]:
        async with AsyncExitStack() as stack:
            used = store or open_store(settings)
            if used is not store:
                stack.push_async_callback(used.close)
            if tracer is not None:  # here, since the server ends the process by the signal that stopped it
                stack.push_async_callback(to_thread.run_sync, tracer.close)
            gateway = Gateway(settings, used, metrics)
            with _keys_read_at_hangup(gateway):
                yield State(gateway=gateway)

    app = FastAPI(
        title="Attribution service",
        version=RELEASE,
        summary="How much did each input contribute to this prediction?",
        description=openapi.DESCRIPTION,
        openapi_tags=openapi.TAGS,
        responses=openapi.COMMON_RESPONSES,
        default_response_class=Response,
        docs_url=None,
        redoc_url=None,
        telemetry=NO_TELEMETRY,
        lifespan=lifespan,
    )
    problems.install(app)
    for routes in (explain, compare, comparisons, jobs, results, paths, models, admin, monitors, methods):
        app.include_router(routes.router)
    for routes in (health, docs, page):
        app.include_router(routes.router)
    for dialect in DIALECTS:
        app.include_router(dialect.router)
    app.add_middleware(BodyLimit, max_bytes=settings.max_body_bytes, max_total_bytes=int(settings.bodies_bytes))
    _keep_other_sites_out(app, settings)
    app.add_middleware(AccessLog, metrics=metrics, tracer=tracer)  # around all that responds
    app.add_middleware(AskedLanguage)
    app.add_middleware(ErrorForms, forms=ERROR_FORMS)
    openapi.install(app)
    return app


@contextmanager
def _keys_read_at_hangup(gateway: Gateway) -> Iterator[None]:
    """SIGHUP has the file of keys read again. Without keys it ends the process, as it does by default."""
    if gateway.keys.is_open or threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, gateway.keys.reload)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)


def _keep_other_sites_out(app: FastAPI, settings: GatewaySettings) -> None:
    """Hosts, origins and redirects. What is added later sees a request earlier."""
    app.add_middleware(RelativeRedirects)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=CORS_METHODS,
            allow_headers=CORS_REQUEST_HEADERS,
            expose_headers=CORS_RESPONSE_HEADERS,
        )
    app.add_middleware(OwnOrigin, origins=settings.cors_origins)
    app.add_middleware(AllowedHosts, hosts=settings.allowed_hosts())
