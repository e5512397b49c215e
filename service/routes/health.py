"""Is it alive, is it ready, what does it measure."""

from fastapi import APIRouter, Response

from schemas.errors import StoreUnavailable, Unavailable
from service.http.responses import Health, json_response
from service.monitoring.store_metrics import store_exposition
from service.openapi import operations as openapi
from service.state import CurrentGateway

router = APIRouter(tags=["health"])
NO_WORKER_RETRY_S = 5
EXPOSITION_MEDIA = "text/plain; version=0.0.4; charset=utf-8"


@router.get(
    "/healthz",
    summary="Is the gateway alive?",
    responses={200: openapi.json_response_object("Health", "It is.", {"status": "ok"})},
)
async def healthz() -> Response:
    return json_response(Health(status="ok"))


@router.get(
    "/readyz",
    summary="Can jobs be computed now?",
    description="Needs the job store and at least one live worker.",
    responses={
        200: openapi.json_response_object("Health", "They can.", {"status": "ready", "workers": 1}),
        **openapi.problems(StoreUnavailable, Unavailable),
    },
)
async def readyz(gateway: CurrentGateway) -> Response:
    await gateway.store.ping()
    workers = await gateway.store.workers()
    if not workers:
        raise Unavailable("no live worker", retry_after_s=NO_WORKER_RETRY_S)
    return json_response(Health(status="ready", workers=len(workers)))


@router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    description="Answers without the job store too; `attribution_store_up` is 0 then.",
    responses={
        200: {"description": "Text exposition format.", "content": {"text/plain": {"schema": {"type": "string"}}}}
    },
)
async def metrics(gateway: CurrentGateway) -> Response:
    body = gateway.metrics.exposition() + await store_exposition(gateway.store)
    return Response(body, media_type=EXPOSITION_MEDIA)
