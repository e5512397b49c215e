"""OpenAPI parts that several dialects share: errors in the form of a protocol, and bodies with examples."""

from collections import defaultdict
from typing import Any

from schemas.errors import (
    BodyTooLarge,
    InvalidRequest,
    JobFailed,
    JobNotFound,
    KeyLimitReached,
    MalformedBody,
    ModelNotFound,
    ModelUnavailable,
    ModelUnloaded,
    Overloaded,
    ScopeMissing,
    ServiceError,
    StillRunning,
    StoreFull,
    StoreUnavailable,
    Unauthorized,
    UnsupportedMedia,
)
from service.http.error_form import ErrorForm
from service.openapi.response_objects import RETRY_HEADER, ResponseObjects, ref

READING = (Unauthorized, ScopeMissing, ModelNotFound, ModelUnloaded, ModelUnavailable, StoreUnavailable, ServiceError)
EXPLAINING = (
    MalformedBody,
    InvalidRequest,
    Unauthorized,
    ScopeMissing,
    ModelNotFound,
    JobNotFound,
    ModelUnloaded,
    BodyTooLarge,
    UnsupportedMedia,
    Overloaded,
    KeyLimitReached,
    StoreUnavailable,
    StoreFull,
    ModelUnavailable,
    JobFailed,
    ServiceError,
    StillRunning,
)
LOCATION = {"Location": {"description": "The path of the (first) job.", "schema": {"type": "string"}}}
LINKS = {"Link": {"description": "Each job's path, where there are several.", "schema": {"type": "string"}}}


def dialect_errors(form: ErrorForm, schema: str, *errors: type[ServiceError]) -> ResponseObjects:
    """The errors that a route of a dialect may return, by the status of its protocol, with an example of each."""
    by_status: dict[int, dict[str, Any]] = defaultdict(dict)
    for error in errors:
        status, document = form(error("What is wrong, in words.").problem())
        by_status[status][error.code] = {"summary": error.title, "value": document}
    return {status: _response(status, schema, examples) for status, examples in sorted(by_status.items())}


def _response(status: int, schema: str, examples: dict[str, Any]) -> dict[str, Any]:
    response: dict[str, Any] = {
        "description": "; or ".join(one["summary"] for one in examples.values()),
        "content": {"application/json": {"schema": ref(schema), "examples": examples}},
    }
    if status in {Overloaded.status, StoreUnavailable.status}:
        response["headers"] = RETRY_HEADER
    if status == StillRunning.status:
        response["headers"] = LOCATION
    return response


def explained_response(schema: dict[str, Any], description: str, example: Any) -> dict[str, Any]:
    """The answer with the explanations."""
    content = {"application/json": {"schema": schema, "example": example}}
    return {"description": description, "headers": {**LOCATION, **LINKS}, "content": content}


def json_body(schema: dict[str, Any], examples: dict[str, Any]) -> dict[str, Any]:
    """A request body of JSON."""
    return {"required": True, "content": {"application/json": {"schema": schema, "examples": examples}}}
