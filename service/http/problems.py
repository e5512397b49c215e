"""Errors as RFC 9457 problem documents. All error responses of the gateway are made here."""

from http import HTTPStatus

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from schemas.errors import InvalidRequest, Problem, ServiceError, StillRunning
from schemas.sentences import Sentence
from service.http.asked_language import asked_language
from service.http.error_form import asked_error_form
from service.http.translation import in_language
from service.monitoring.request_trace import current_trace_id
from service.validation.document.field_errors import field_errors

PROBLEM_MEDIA = "application/problem+json"
INTERNAL_DETAIL = "An unexpected error. The service has logged it under the X-Request-Id of this response."


def problem_response(problem: Problem, headers: dict[str, str] | None = None) -> Response:
    """A problem document as a response, in the language of the current request. Fields that are None are left out.

    On the routes of a dialect the response is the error document of its protocol.
    """
    language = asked_language()
    said, form = in_language(with_trace(problem), language), asked_error_form()
    spoken = {"Content-Language": language, "Vary": "Accept-Language"} | (headers or {})
    if form is not None:
        status, document = form(said)
        return Response(orjson.dumps(document), status_code=status, media_type="application/json", headers=spoken)
    body = orjson.dumps(said.model_dump(exclude_none=True))
    return Response(body, status_code=problem.status, media_type=PROBLEM_MEDIA, headers=spoken)


def with_trace(problem: Problem) -> Problem:
    """The problem with the trace of the current request, where it has one."""
    trace_id = current_trace_id()
    return problem if trace_id is None else problem.model_copy(update={"trace_id": trace_id})


def error_response(error: ServiceError) -> Response:
    """A service error as a response, with `Retry-After` in seconds where the request may be repeated."""
    wait_s = error.retry_after_s
    if wait_s is None and error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        wait_s = 1
    headers = {} if wait_s is None else {"Retry-After": str(wait_s)}
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if error.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        headers["Connection"] = "close"  # the rest of the body is not read
    if isinstance(error, StillRunning) and error.location is not None:
        headers["Location"] = error.location
    return problem_response(error.problem(), headers)


def internal_error() -> Response:
    """The response to an unexpected exception."""
    return problem_response(ServiceError(INTERNAL_DETAIL).problem())


def http_problem(status: int, detail: str) -> Problem:
    """A problem that says no more than its status, such as an unknown route."""
    return Problem(type="about:blank", title=HTTPStatus(status).phrase, status=status, detail=detail)


def install(app: FastAPI) -> None:
    """Register the exception handlers of the application."""
    for kind in (ServiceError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _handle)


async def _handle(request: Request, error: Exception) -> Response:
    if isinstance(error, ServiceError):
        return error_response(error)
    if isinstance(error, RequestValidationError):  # of parameters; bodies are validated in `service.validation`
        given = {"query": dict(request.query_params), "header": dict(request.headers), "path": request.path_params}
        fields = field_errors(error.errors(), given)
        return error_response(InvalidRequest("A parameter of the request is not valid.", errors=fields))
    if isinstance(error, HTTPException):
        return _http_error_response(request, error)
    return internal_error()


def _http_error_response(request: Request, error: HTTPException) -> Response:
    detail = {
        HTTPStatus.NOT_FOUND: "There is no such route.",
        HTTPStatus.METHOD_NOT_ALLOWED: Sentence("{method} is not allowed on this route.", method=request.method[:20]),
    }.get(HTTPStatus(error.status_code), str(error.detail))
    return problem_response(http_problem(error.status_code, detail), dict(error.headers or {}))
