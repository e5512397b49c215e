"""`/healthz`, `/readyz` and `/metrics`."""

from typing import Annotated

from fastapi import APIRouter, Header, Response

from schemas.errors import StoreUnavailable, Unavailable
from service.gateway_documents import Health
from service.http.authorization import MayReadMetrics
from service.http.responses import json_response
from service.monitoring.exposition import exposition
from service.monitoring.store_metrics import read_store
from service.openapi import response_objects as openapi
from service.readiness import live_workers, loading_models
from service.state import CurrentGateway

router = APIRouter(tags=["health"])
OPENMETRICS_MEDIA = "application/openmetrics-text"
_TEXT = {"schema": {"type": "string"}}
AcceptHeader = Annotated[str, Header(description=f"`{OPENMETRICS_MEDIA}` for OpenMetrics, which shows exemplars.")]


@router.get(
    "/healthz",
    summary="Is the gateway alive?",
    responses={200: openapi.json_response_object("Health", "The gateway is alive.", {"status": "ok"})},
)
async def healthz() -> Response:
    return json_response(Health(status="ok"))


@router.get(
    "/readyz",
    summary="Can requests be accepted?",
    description="Needs the job store, and a live worker or a model that sleeps: a worker is started for its jobs. "
    "`workers` says how many live, `loading` how many models are being loaded and take no jobs yet.",
    responses={
        200: openapi.json_response_object("Health", "Requests are accepted.", {"status": "ready", "workers": 1}),
        **openapi.problems(StoreUnavailable, Unavailable),
    },
)
async def readyz(gateway: CurrentGateway) -> Response:
    workers = await live_workers(gateway.store)
    return json_response(Health(status="ready", workers=len(workers), loading=loading_models(workers)))


@router.get(
    "/metrics",
    dependencies=[MayReadMetrics],
    summary="Metrics for Prometheus",
    description="Also available without the job store; `attribution_store_up` is then 0. docs/metrics.md says what "
    "each is, and how the values of several gateways are joined.",
    responses={
        200: {
            "description": "Text exposition format, or OpenMetrics.",
            "content": {"text/plain": _TEXT, OPENMETRICS_MEDIA: _TEXT},
        },
        **openapi.DENIED,
    },
)
async def metrics(gateway: CurrentGateway, accept: AcceptHeader = "") -> Response:
    state = await read_store(gateway.store)
    body, media = await gateway.compute(exposition, gateway.metrics.collector, state, accept)
    return Response(body, media_type=media)
