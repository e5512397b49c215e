"""`POST /compare`: explains one input in several ways, each as a job of its own."""

from typing import Any

from fastapi import APIRouter, Request, Response

from broker import Idempotency
from schemas.errors import (
    BodyTooLarge,
    IdempotencyConflict,
    InvalidRequest,
    KeyLimitReached,
    MalformedBody,
    ModelNotFound,
    ModelUnavailable,
    ModelUnloaded,
    Overloaded,
    ServiceError,
    StoreFull,
    StoreUnavailable,
    UnsupportedMedia,
)
from schemas.jobs import TERMINAL
from service.comparisons.cells import planned_cells
from service.comparisons.reading import job_ids, read_comparison, wait_for_jobs
from service.comparisons.submitting import CellSubmitter
from service.comparisons.view import comparison_path
from service.http.authorization import Caller, ExplainCaller
from service.http.disconnect import unless_disconnected
from service.http.explain_body import read_compare_body
from service.http.prefer import preferred_wait_s
from service.http.responses import json_response, root_path
from service.monitoring.http_metrics import CLIENT_LEFT
from service.openapi import response_objects as openapi
from service.openapi.examples import TINY_PNG
from service.routes.explain import CacheHeader, KeyHeader, PreferHeader
from service.routes.parameters import WaitQuery
from service.state import CurrentGateway, Gateway
from service.submission import fingerprint

router = APIRouter(tags=["comparisons"], responses=openapi.DENIED)
EXAMPLE = {
    "models": ["efficientnet-lite0"],
    "input": {"image": TINY_PNG},
    "methods": ["saliency", {"name": "integrated_gradients", "n_steps": 20}, "layer_grad_cam"],
}
FORM: dict[str, Any] = {
    "type": "object",
    "description": "A field of models, methods and targets may be repeated, one value each.",
    "properties": {
        "models": {"type": "string", "description": "A name, names separated by commas, or the JSON list."},
        "methods": {"type": "string", "description": "As models, or the JSON object of one method."},
        "targets": {"type": "string", "description": "An index, a label, null, or the JSON list of them."},
        "image": {"type": "string", "format": "binary", "description": "A PNG, JPEG or WebP file."},
        "text": {"type": "string"},
        "features": {"type": "string", "description": "JSON: a row `{name: value}`, or a list of rows."},
        "tensor": {"type": "string", "description": "JSON: a model-ready tensor."},
        "tensors": {"type": "string", "description": "JSON: a list of model-ready tensors."},
        "seed": {"type": "string", "description": "An integer."},
        "priority": {"type": "string", "enum": ["interactive", "batch"]},
    },
    "required": ["models"],
    "additionalProperties": False,
}
BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {"schema": openapi.ref("CompareRequest"), "example": EXAMPLE},
        "multipart/form-data": {
            "schema": FORM,
            "example": {"models": "minilm-sentiment", "methods": "saliency,lime", "text": "What a lovely film."},
        },
    },
}
HEADERS = {"Location": {"description": "The comparison's URL.", "schema": {"type": "string"}}}


@router.post(
    "/compare",
    status_code=202,
    summary="Explain one input in several ways",
    description="Queues one job for each combination of models, targets and methods, at most 36, and returns 202 with "
    "the comparison; with `?wait=10` 200 once all have ended. The picture is decoded once, and equal rows are computed "
    "once. A cell whose job is refused says why; only if all are refused the request fails.",
    openapi_extra={"requestBody": BODY},
    responses={
        200: openapi.json_response_object("Comparison", "All jobs ended within the wait.", headers=HEADERS),
        202: openapi.json_response_object("Comparison", "The jobs are queued or running.", headers=HEADERS),
        **openapi.problems(
            MalformedBody,
            ModelNotFound,
            ModelUnloaded,
            BodyTooLarge,
            UnsupportedMedia,
            InvalidRequest,
            IdempotencyConflict,
            Overloaded,
            KeyLimitReached,
            StoreUnavailable,
            StoreFull,
            ModelUnavailable,
        ),
    },
)
async def compare(
    request: Request,
    gateway: CurrentGateway,
    caller: ExplainCaller,
    wait: WaitQuery = None,
    prefer: PreferHeader = None,
    idempotency_key: KeyHeader = None,
    cache_control: CacheHeader = None,
) -> Response:
    comparison_id = await _submitted(request, gateway, caller, idempotency_key, cache_control or "")
    preferred_s = preferred_wait_s(prefer)
    wait_s = min(wait if wait is not None else preferred_s or 0.0, gateway.settings.max_wait_s)
    record = await gateway.store.comparisons.get(comparison_id, caller.owner)
    headers = {"Location": comparison_path(comparison_id, root_path(request))}
    if wait is None and preferred_s is not None:
        headers["Preference-Applied"] = f"wait={wait_s:g}"
    if wait_s > 0:

        async def wait_for_all() -> bool:
            await wait_for_jobs(gateway, job_ids(record), wait_s)
            return True

        if await unless_disconnected(request, gateway.waits.until_stop(wait_for_all, instead=True)) is None:
            return Response(status_code=CLIENT_LEFT)
    comparison = await read_comparison(gateway, record, root_path(request))
    ended = wait_s > 0 and comparison.status in TERMINAL
    return json_response(comparison, 200 if ended else 202, headers)


async def _submitted(
    request: Request, gateway: Gateway, caller: Caller, idempotency_key: str | None, cache_control: str
) -> str:
    """The id of the comparison, whose jobs are queued. Raises as `CellSubmitter.submit` and `read_compare_body`."""
    compare_request = await read_compare_body(request, gateway)
    idempotency = None
    if idempotency_key is not None:
        idempotency = Idempotency(idempotency_key, await gateway.compute(fingerprint, compare_request))
    planned = planned_cells(compare_request)
    comparisons = gateway.store.comparisons_of({cell.request.model for cell in planned})
    begun = await comparisons.begin(caller.owner, idempotency)
    if begun.is_complete:
        return begun.id
    submitter = CellSubmitter(gateway, caller, begun.id, idempotency, cache_control)
    try:
        cells = await submitter.submit(planned)
    except StoreUnavailable:
        raise  # some jobs may be queued: a repeat with the same key goes on with this comparison
    except ServiceError:
        await comparisons.drop(begun.id)
        raise
    await comparisons.complete(begun.id, cells)
    return begun.id
