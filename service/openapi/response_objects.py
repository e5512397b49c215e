"""OpenAPI response objects, from which routes declare their responses."""

from collections import defaultdict
from http import HTTPStatus
from typing import Any

from schemas.errors import ScopeMissing, ServiceError, Unauthorized
from service.http.problems import PROBLEM_MEDIA, http_problem

ResponseObjects = dict[int | str, dict[str, Any]]  # by status
SCHEMA_REF = "#/components/schemas/{model}"
RETRY_HEADER = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}


def ref(schema: str) -> dict[str, str]:
    """A reference to a schema of the document's components."""
    return {"$ref": SCHEMA_REF.format(model=schema)}


def json_response_object(
    schema: str, description: str, example: dict[str, Any] | None = None, headers: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A response whose body is JSON of a named schema."""
    content: dict[str, Any] = {"schema": ref(schema)}
    if example is not None:
        content["example"] = example
    response: dict[str, Any] = {"description": description, "content": {"application/json": content}}
    return {**response, "headers": headers} if headers else response


def with_pages(response: dict[str, Any]) -> dict[str, Any]:
    """The response, which is also offered as HTML and as Markdown."""
    pages = {media: {"schema": {"type": "string"}} for media in ("text/html", "text/markdown")}
    return {**response, "content": {**response["content"], **pages}}


def problems(*errors: type[ServiceError]) -> ResponseObjects:
    """The problem documents that a route may return, by status, with an example of each error."""
    by_status: dict[int, list[type[ServiceError]]] = defaultdict(list)
    for error in errors:
        by_status[error.status].append(error)
    responses: ResponseObjects = {}
    for status, kinds in sorted(by_status.items()):
        examples = {
            kind.code: {
                "summary": kind.title,
                "value": kind("What is wrong, in words.").problem().model_dump(exclude_none=True),
            }
            for kind in kinds
        }
        description = "; or ".join(kind.title for kind in kinds)
        responses[status] = _problem_response(description, {"examples": examples}, status)
    return responses


def plain_problem(status: int, detail: str) -> dict[str, Any]:
    """A problem document that says no more than its status."""
    example = http_problem(status, detail).model_dump(exclude_none=True)
    return _problem_response(detail, {"example": example}, status)


def _problem_response(description: str, example: dict[str, Any], status: int) -> dict[str, Any]:
    response: dict[str, Any] = {
        "description": description,
        "content": {PROBLEM_MEDIA: {"schema": ref("Problem"), **example}},
    }
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        response["headers"] = RETRY_HEADER
    return response


DENIED = problems(Unauthorized, ScopeMissing)  # of a service with API keys
