"""`POST /explain`: check, queue, and wait if asked to."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response

from broker import Content
from schemas.errors import (
    BodyTooLarge,
    IdempotencyConflict,
    InvalidRequest,
    MalformedBody,
    ModelNotFound,
    ModelUnavailable,
    ModelUnloaded,
    Overloaded,
    StoreFull,
    StoreUnavailable,
    UnsupportedMedia,
)
from schemas.jobs import TERMINAL
from schemas.requests import ExplainRequest
from service import examples, openapi
from service.answers import json_response
from service.finding import find_card
from service.metrics import CLIENT_LEFT
from service.multipart import read_form
from service.prefer import preferred_wait_s
from service.present import job_path, present
from service.request_docs import EXPLAIN_BODY, EXPLAIN_DESCRIPTION
from service.state import CurrentGateway, Gateway
from service.submission import Submission, fingerprint, prepare
from service.validation.body import parse_json, read_request
from service.waiting import unless_disconnected, wait_for_end

router = APIRouter(tags=["explain"])
JSON_MEDIA = re.compile(r"^application/json\s*(;|$)", re.IGNORECASE)
FORM_MEDIA = re.compile(r"^multipart/form-data\s*(;|$)", re.IGNORECASE)
ANSWER_HEADERS = {
    "Location": {"description": "Where the job is polled.", "schema": {"type": "string"}},
    "Preference-Applied": {"description": "The `wait` of `Prefer`, as used.", "schema": {"type": "string"}},
}

WaitQuery = Annotated[
    float | None, Query(ge=0, le=86_400, allow_inf_nan=False, description="Seconds to wait for the end of the job.")
]
PreferHeader = Annotated[str | None, Header(description="`wait=N`, as the query parameter; `?wait=` goes before it.")]
KeyHeader = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        pattern=r"^[\x20-\x7e]+$",
        description="A repeat with the same key answers the first job instead of queueing another.",
    ),
]
CacheHeader = Annotated[
    str | None,
    Header(
        max_length=255,
        description="`no-cache` computes anew what an equal request was answered with; `no-store` also keeps the "
        "result from later requests.",
    ),
]


@router.post(
    "/explain",
    status_code=202,
    summary="Queue an explanation",
    description=EXPLAIN_DESCRIPTION,
    openapi_extra={"requestBody": EXPLAIN_BODY},
    responses={
        200: openapi.json_answer("Job", "The job ended within the wait.", examples.SUCCEEDED_JOB, ANSWER_HEADERS),
        202: openapi.json_answer("Job", "The job is queued or running.", examples.QUEUED_JOB, ANSWER_HEADERS),
        **openapi.problems(
            MalformedBody,
            ModelNotFound,
            ModelUnloaded,
            BodyTooLarge,
            UnsupportedMedia,
            InvalidRequest,
            IdempotencyConflict,
            Overloaded,
            StoreUnavailable,
            StoreFull,
            ModelUnavailable,
        ),
    },
)
async def explain(
    request: Request,
    gateway: CurrentGateway,
    wait: WaitQuery = None,
    prefer: PreferHeader = None,
    idempotency_key: KeyHeader = None,
    cache_control: CacheHeader = None,
) -> Response:
    asked = await _read(request, gateway)
    card = await find_card(gateway.store, asked.model, asked.version)
    submission = await gateway.compute(prepare, asked, card)
    idempotency = None
    if idempotency_key is not None:
        idempotency = (idempotency_key, await gateway.compute(fingerprint, asked))
    job_id = await _submit(gateway, submission, idempotency, cache_control or "")
    preferred_s = preferred_wait_s(prefer)
    wait_s = min(wait if wait is not None else preferred_s or 0.0, gateway.settings.max_wait_s)
    applied = {"Preference-Applied": f"wait={wait_s:g}"} if wait is None and preferred_s is not None else {}
    return await _answer(request, gateway, job_id, wait_s, applied)


async def _read(request: Request, gateway: Gateway) -> ExplainRequest:
    """The body, by its media type.

    Raises:
        UnsupportedMedia: neither JSON nor a form.
        MalformedBody, BodyTooLarge, InvalidRequest: see `service.validation.body` and `service.multipart`.
    """
    media = request.headers.get("content-type", "")
    if JSON_MEDIA.match(media):
        return await gateway.compute(_from_json, await request.body())
    if FORM_MEDIA.match(media):
        return await gateway.compute(read_request, await read_form(request))
    raise UnsupportedMedia("Send application/json or multipart/form-data.")


def _from_json(body: bytes) -> ExplainRequest:
    document: Any = parse_json(body)
    return read_request(document)


async def _submit(
    gateway: Gateway, submission: Submission, idempotency: tuple[str, str] | None, cache_control: str
) -> str:
    spec = submission.spec
    asked = {directive.strip().lower() for directive in cache_control.split(",")}
    content = None
    if gateway.settings.cache and submission.digest is not None and "no-store" not in asked:
        content = Content(submission.digest, reuse="no-cache" not in asked)
    job_id, outcome = await gateway.store.submit(
        spec, submission.payload, rows=submission.rows, idempotency=idempotency, content=content
    )
    if outcome != "known":
        gateway.metrics.submitted(spec.model, spec.method["name"], spec.priority, outcome)
    return job_id


async def _answer(request: Request, gateway: Gateway, job_id: str, wait_s: float, headers: dict[str, str]) -> Response:
    """200 with the finished job, or 202 with the job as it stands and where to poll it."""
    record = await unless_disconnected(request, wait_for_end(gateway.store, job_id, wait_s))
    if record is None:
        return Response(status_code=CLIENT_LEFT)
    root = request.scope.get("root_path", "")
    headers = {**headers, "Location": job_path(job_id, root)}
    status = 200 if wait_s > 0 and record.status in TERMINAL else 202
    return json_response(present(record, root), status, headers)
