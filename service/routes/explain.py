"""`POST /explain`: checks a request, queues a job, and waits for its end if the client requests it."""

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Request, Response

from broker import Idempotency, Waited
from schemas.errors import InvalidRequest, JobHasNoResult
from schemas.jobs import TERMINAL
from schemas.results import Encoding
from service.admission import prepared, submitted_and_waited
from service.http.authorization import ExplainCaller
from service.http.explain_body import read_explain_body
from service.http.prefer import preferred_wait_s
from service.http.problems import error_response
from service.http.responses import root_path
from service.job_view import job_path, job_response
from service.monitoring.http_metrics import CLIENT_LEFT
from service.openapi.explain_operation import EXPLAIN_BODY, EXPLAIN_DESCRIPTION, EXPLAIN_RESPONSES
from service.readiness import starts_in_s
from service.results.formats import MEDIA, formats_of
from service.results.representation import RequestedFormat, result_response
from service.routes.drawing_parameters import drawing_parameters, read_drawing
from service.routes.parameters import EncodingQuery, PictureLanguage, WaitQuery
from service.state import CurrentGateway, Gateway
from service.submission import fingerprint, new_job
from service.tuning import SMALL_JSON_BYTES

router = APIRouter(tags=["explain"])
PreferHeader = Annotated[
    str | None, Header(description="`wait=N`, as the query parameter `wait`, which takes precedence.")
]
AnswerQuery = Annotated[
    Literal["job", "result"],
    Query(
        description="`result`: if the job ends within the wait, return what `GET /jobs/{id}/result` returns, in the "
        "format of `Accept`; a picture takes the parameters of `overlay.png`."
    ),
]
AcceptHeader = Annotated[str | None, Header(description=f"The format of a result: {', '.join(MEDIA)}.")]
KeyHeader = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        pattern=r"^[\x20-\x7e]+$",
        description="A repeated request with the same key returns the first job and queues no other.",
    ),
]
CacheHeader = Annotated[
    str | None,
    Header(
        max_length=255,
        description="`no-cache` computes the result anew, even if an equal request has one; `no-store` also keeps the "
        "result from later requests.",
    ),
]


@router.post(
    "/explain",
    status_code=202,
    summary="Queue an explanation",
    description=EXPLAIN_DESCRIPTION,
    openapi_extra={"requestBody": EXPLAIN_BODY, "parameters": drawing_parameters()},
    responses=EXPLAIN_RESPONSES,
)
async def explain(
    request: Request,
    gateway: CurrentGateway,
    caller: ExplainCaller,
    wait: WaitQuery = None,
    prefer: PreferHeader = None,
    answer: AnswerQuery = "job",
    encoding: EncodingQuery = "numbers",
    accept: AcceptHeader = None,
    accept_language: PictureLanguage = None,
    idempotency_key: KeyHeader = None,
    cache_control: CacheHeader = None,
) -> Response:
    result_format = _requested_format(request, answer, accept, accept_language, encoding)
    explain_request = await read_explain_body(request, gateway)
    card = await gateway.cards.find(gateway.store, explain_request.model, explain_request.version)
    body_bytes = int(request.headers.get("content-length", SMALL_JSON_BYTES + 1))
    submission = await prepared(gateway, explain_request, card, caller.owner, body_bytes)
    if result_format is not None:
        kind = submission.spec.input_kind
        result_format = result_format.among(formats_of(table=kind == "features", text=kind == "text"))
    idempotency = None
    if idempotency_key is not None:
        idempotency = Idempotency(idempotency_key, await gateway.compute(fingerprint, explain_request))
    preferred_s = preferred_wait_s(prefer)
    wait_s = min(wait if wait is not None else preferred_s or 0.0, gateway.settings.max_wait_s)
    job = new_job(submission, cache_control or "", cache=gateway.settings.cache, limits=caller.limits)
    job = job._replace(idempotency=idempotency)
    waited = await submitted_and_waited(request, gateway, job, wait_s, takes_result=result_format is not None)
    if waited is None:
        return Response(status_code=CLIENT_LEFT)
    headers = {"Location": job_path(waited.record.id, root_path(request))}
    if wait is None and preferred_s is not None:
        headers["Preference-Applied"] = f"wait={wait_s:g}"
    ended = wait_s > 0 and waited.record.status in TERMINAL
    if ended and result_format is not None:
        return await _ended_result(gateway, waited, result_format, headers)
    starts_s = None if ended else await starts_in_s(gateway.store, card, waited.record, waited_s=wait_s)
    return job_response(request, waited.record, 200 if ended else 202, headers, starts_s)


def _requested_format(
    request: Request,
    answer: Literal["job", "result"],
    accept: str | None,
    accept_language: str | None,
    encoding: Encoding,
) -> RequestedFormat | None:
    """The format of the result; None if the client wants the job.

    Raises:
        RequestValidationError, InvalidRequest, NotAcceptable: a query parameter is unknown, not valid, or has no
            effect on the response; or the client accepts no format.
    """
    drawing = read_drawing(request, "wait", "answer", "encoding")
    if answer == "result":
        return RequestedFormat.of(accept, accept_language, drawing=drawing, encoding=encoding)
    if encoding != "numbers":
        raise InvalidRequest.at(["query", "encoding"], "belongs to a result; add answer=result")
    if given := sorted(drawing.model_fields_set - {"lang"}):
        raise InvalidRequest.at(["query", given[0]], "belongs to the picture of a result; add answer=result")
    return None


async def _ended_result(
    gateway: Gateway, waited: Waited, result_format: RequestedFormat, headers: dict[str, str]
) -> Response:
    """What `GET /jobs/{id}/result` returns for the ended job, with the URLs of both in the headers."""
    try:
        response = await result_response(gateway, waited.record.id, result_format, fetched=waited.result)
        response.headers["Content-Location"] = f"{headers['Location']}/result"
    except JobHasNoResult as error:
        response = error_response(error)
    response.headers.update(headers)
    return response
