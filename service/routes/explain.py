"""`POST /explain`: check, queue, and wait if asked to."""

import re
from typing import Annotated, Any, Literal, NamedTuple

from fastapi import APIRouter, Header, Query, Request, Response

from broker import Content, JobRecord, Submitted, Waited
from schemas.errors import (
    BodyTooLarge,
    IdempotencyConflict,
    InvalidRequest,
    JobHasNoResult,
    MalformedBody,
    ModelNotFound,
    ModelUnavailable,
    ModelUnloaded,
    NotAcceptable,
    Overloaded,
    StoreFull,
    StoreUnavailable,
    UnsupportedMedia,
)
from schemas.jobs import TERMINAL, JobSpec
from schemas.requests import ExplainRequest
from service.http.disconnect import unless_disconnected
from service.http.problems import error_response
from service.http.form import read_form
from service.http.prefer import preferred_wait_s
from service.http.responses import json_response
from service.job_view import job_path, job_view
from service.monitoring.http_metrics import CLIENT_LEFT
from service.openapi import operations as openapi
from service.openapi import examples
from service.openapi.explain_operation import EXPLAIN_BODY, EXPLAIN_DESCRIPTION
from service.results.formats import JSON, MEDIA
from service.results.representation import RequestedFormat, result_response
from service.state import SMALL_BYTES, CurrentGateway, Gateway
from service.submission import Submission, fingerprint, prepare
from service.validation.document.body import parse_json, read_request
from service.validation.inputs import pixels_to_prepare

router = APIRouter(tags=["explain"])
SMALL_PICTURE = 256 * 256  # pixels: decoded and scaled in a millisecond or two, which the event loop can spare
JSON_MEDIA = re.compile(r"^application/json\s*(;|$)", re.IGNORECASE)
FORM_MEDIA = re.compile(r"^multipart/form-data\s*(;|$)", re.IGNORECASE)
RESPONSE_HEADERS = {
    "Location": {"description": "Where the job is polled.", "schema": {"type": "string"}},
    "Preference-Applied": {"description": "The `wait` of `Prefer`, as used.", "schema": {"type": "string"}},
}
ENDED_RESPONSE = {
    "description": "The job ended within the wait: it, or its result.",
    "headers": RESPONSE_HEADERS,
    "content": {
        JSON: {
            "schema": {"anyOf": [openapi.ref("Job"), openapi.ref("Explanation")]},
            "examples": {
                "job": {"summary": "The job", "value": examples.SUCCEEDED_JOB},
                "result": {"summary": "Its result, with `?answer=result`", "value": examples.EXPLANATION},
            },
        },
        **{media: {"schema": {"type": "string", "format": "binary"}} for media in MEDIA if media != JSON},
    },
}

WaitQuery = Annotated[
    float | None, Query(ge=0, le=86_400, allow_inf_nan=False, description="Seconds to wait for the end of the job.")
]
PreferHeader = Annotated[str | None, Header(description="`wait=N`, as the query parameter; `?wait=` goes before it.")]
AnswerQuery = Annotated[
    Literal["job", "result"],
    Query(
        description="`result`: once the job has ended within the wait, what `GET /jobs/{id}/result` answers, in the "
        "format of `Accept`."
    ),
]
AcceptHeader = Annotated[str | None, Header(description=f"Of a result: {', '.join(MEDIA)}.")]
LanguageHeader = Annotated[str | None, Header(description="Language of the words in a picture: `en` or `es`.")]
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


class _Order(NamedTuple):
    """All that a submission takes."""

    submission: Submission
    idempotency: tuple[str, str] | None
    content: Content | None
    takes_result: bool


@router.post(
    "/explain",
    status_code=202,
    summary="Queue an explanation",
    description=EXPLAIN_DESCRIPTION,
    openapi_extra={"requestBody": EXPLAIN_BODY},
    responses={
        200: ENDED_RESPONSE,
        202: openapi.json_response_object("Job", "The job is queued or running.", examples.QUEUED_JOB, RESPONSE_HEADERS),
        **openapi.problems(
            MalformedBody,
            ModelNotFound,
            ModelUnloaded,
            BodyTooLarge,
            UnsupportedMedia,
            NotAcceptable,
            InvalidRequest,
            IdempotencyConflict,
            JobHasNoResult,
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
    answer: AnswerQuery = "job",
    accept: AcceptHeader = None,
    accept_language: LanguageHeader = None,
    idempotency_key: KeyHeader = None,
    cache_control: CacheHeader = None,
) -> Response:
    wish = RequestedFormat.of(accept, accept_language) if answer == "result" else None
    asked = await _read(request, gateway)
    card = await gateway.cards.find(gateway.store, asked.model, asked.version)
    sent_bytes = int(request.headers.get("content-length", SMALL_BYTES + 1))
    is_small = sent_bytes <= SMALL_BYTES and pixels_to_prepare(asked.input, card.input) <= SMALL_PICTURE
    submission = prepare(asked, card) if is_small else await gateway.compute(prepare, asked, card)
    idempotency = None
    if idempotency_key is not None:
        idempotency = (idempotency_key, await gateway.compute(fingerprint, asked))
    preferred_s = preferred_wait_s(prefer)
    wait_s = min(wait if wait is not None else preferred_s or 0.0, gateway.settings.max_wait_s)
    applied = {"Preference-Applied": f"wait={wait_s:g}"} if wait is None and preferred_s is not None else {}
    content = _content(gateway, submission, cache_control or "")
    waited = await _submit(request, gateway, _Order(submission, idempotency, content, wish is not None), wait_s)
    if waited is None:
        return Response(status_code=CLIENT_LEFT)
    record = waited.record
    headers = {**applied, "Location": job_path(record.id, request.scope.get("root_path", ""))}
    ended = wait_s > 0 and record.status in TERMINAL
    return await _result(gateway, waited, wish, headers) if ended and wish else _job(request, record, ended, headers)


async def _read(request: Request, gateway: Gateway) -> ExplainRequest:
    """The body, by its media type.

    Raises:
        UnsupportedMedia: neither JSON nor a form.
        MalformedBody, BodyTooLarge, InvalidRequest: see `service.validation.document.body` and `service.http.form`.
    """
    media = request.headers.get("content-type", "")
    if JSON_MEDIA.match(media):
        body = await request.body()
        return await gateway.compute_sized(len(body), _from_json, body)
    if FORM_MEDIA.match(media):
        return await gateway.compute(read_request, await read_form(request))
    raise UnsupportedMedia("Send application/json or multipart/form-data.")


def _from_json(body: bytes) -> ExplainRequest:
    document: Any = parse_json(body)
    return read_request(document)


def _content(gateway: Gateway, submission: Submission, cache_control: str) -> Content | None:
    """What equal requests share, unless the operator or the client says otherwise."""
    asked = {directive.strip().lower() for directive in cache_control.split(",")}
    if not gateway.settings.cache or submission.digest is None or "no-store" in asked:
        return None
    return Content(submission.digest, reuse="no-cache" not in asked)


async def _submit(request: Request, gateway: Gateway, order: _Order, wait_s: float) -> Waited | None:
    """Queues the job: it as it stands, or, waited for, as it is in the end; None when the client left meanwhile."""
    spec, payload, rows = order.submission.spec, order.submission.payload, order.submission.rows
    options: Any = {"rows": rows, "idempotency": order.idempotency, "content": order.content}
    if wait_s <= 0:
        submitted = await gateway.store.submit(spec, payload, **options)
        _count(gateway, spec, submitted)
        return Waited(await gateway.store.get(submitted.job_id))
    options["takes_result"] = order.takes_result
    async with gateway.store.submit_and_wait(spec, payload, **options) as (submitted, wait):
        _count(gateway, spec, submitted)
        return await unless_disconnected(request, wait(wait_s))


def _count(gateway: Gateway, spec: JobSpec, submitted: Submitted) -> None:
    if submitted.outcome != "known":
        gateway.metrics.submitted(spec.model, spec.method["name"], spec.priority, submitted.outcome)


async def _result(gateway: Gateway, waited: Waited, wish: RequestedFormat, headers: dict[str, str]) -> Response:
    """What `GET /jobs/{id}/result` would answer, and where both are found."""
    try:
        response = await result_response(gateway, waited.record.id, wish, known=waited.result)
        response.headers["Content-Location"] = f"{headers['Location']}/result"
    except JobHasNoResult as error:
        response = error_response(error)
    response.headers.update(headers)
    return response


def _job(request: Request, record: JobRecord, ended: bool, headers: dict[str, str]) -> Response:
    """200 with the finished job, or 202 with the job as it stands and where to poll it."""
    return json_response(job_view(record, request.scope.get("root_path", "")), 200 if ended else 202, headers)
