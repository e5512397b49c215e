"""Pieces of the OpenAPI document: answers, problems with their examples, and the schemas they refer to."""

from collections import defaultdict
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from schemas.errors import Problem, ServiceError
from schemas.jobs import Job, JobPage
from schemas.models import ModelCard, ModelOrder
from schemas.requests import ExplainRequest
from schemas.results import Explanation
from service.http.problems import PROBLEM_MEDIA, http_problem
from service.http.responses import Health, MethodCatalogue, MethodGuide, ModelList
from service.openapi.explain_operation import method_property, quality_property

ResponseObjects = dict[int | str, dict[str, Any]]
REF = "#/components/schemas/{model}"
SERVED = (Job, JobPage, ModelCard, ModelList, ModelOrder, Explanation, MethodCatalogue, MethodGuide, Health, Problem)

DESCRIPTION = (
    "Ask how much each pixel, feature or token contributed to a prediction: `POST /explain` queues a job, "
    "`GET /jobs/{id}` tells how far it is, `GET /jobs/{id}/result` and `/overlay.png` hand out the answer. "
    "Errors are RFC 9457 problem documents. Each answer carries an `X-Request-Id`; one sent along is kept."
)
TAGS = [
    {"name": "explain", "description": "Ask."},
    {"name": "jobs", "description": "Follow, list and cancel jobs."},
    {"name": "results", "description": "Attributions as JSON, npy, safetensors and pictures."},
    {"name": "models", "description": "What can be explained."},
    {"name": "methods", "description": "How it can be explained, compared in English and Spanish."},
    {"name": "health", "description": "For operators."},
]
RETRY_HEADER = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}


def ref(schema: str) -> dict[str, str]:
    """A reference to a component."""
    return {"$ref": REF.format(model=schema)}


def json_response_object(
    schema: str, description: str, example: dict[str, Any] | None = None, headers: dict[str, Any] | None = None
) -> dict[str, Any]:
    """An answer in JSON."""
    content: dict[str, Any] = {"schema": ref(schema)}
    if example is not None:
        content["example"] = example
    answer: dict[str, Any] = {"description": description, "content": {"application/json": content}}
    return {**answer, "headers": headers} if headers else answer


def problems(*errors: type[ServiceError]) -> ResponseObjects:
    """The problem documents that a route may answer with, by status."""
    by_status: dict[int, list[type[ServiceError]]] = defaultdict(list)
    for error in errors:
        by_status[error.status].append(error)
    answers: ResponseObjects = {}
    for status, kinds in sorted(by_status.items()):
        examples = {
            kind.code: {
                "summary": kind.title,
                "value": kind("What is wrong, in words.").problem().model_dump(exclude_none=True),
            }
            for kind in kinds
        }
        answers[status] = _problem_answer("; or ".join(kind.title for kind in kinds), {"examples": examples}, status)
    return answers


def plain_problem(status: int, detail: str) -> dict[str, Any]:
    """A problem that means no more than its status."""
    example = http_problem(status, detail).model_dump(exclude_none=True)
    return _problem_answer(detail, {"example": example}, status)


def _problem_answer(description: str, example: dict[str, Any], status: int) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": description,
        "content": {PROBLEM_MEDIA: {"schema": ref("Problem"), **example}},
    }
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        answer["headers"] = RETRY_HEADER
    return answer


COMMON_RESPONSES = problems(ServiceError)  # a defect may show on any route


def install(app: FastAPI) -> None:
    """Make the application describe itself with the schemas that routes refer to by name."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(
                title=app.title,
                version=app.version,
                summary=app.summary,
                description=app.description,
                tags=app.openapi_tags,
                routes=app.routes,
            )
            _drop_fastapi_validation(made)
            made["components"]["schemas"].update(_schemas())
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's documented way


def _drop_fastapi_validation(made: dict[str, Any]) -> None:
    """FastAPI assumes that any parameter may be refused; routes here declare their own 422 where one can be."""
    for operations in made["paths"].values():
        for operation in operations.values():
            if PROBLEM_MEDIA not in operation["responses"].get("422", {}).get("content", {}):
                operation["responses"].pop("422", None)
    for name in ("HTTPValidationError", "ValidationError"):
        made["components"]["schemas"].pop(name, None)


def _schemas() -> dict[str, Any]:
    _, answered = models_json_schema([(cls, "serialization") for cls in SERVED], ref_template=REF)
    _, asked = models_json_schema([(ExplainRequest, "validation")], ref_template=REF)
    schemas: dict[str, Any] = {**answered["$defs"], **asked["$defs"]}
    properties = schemas["ExplainRequest"]["properties"]
    properties["method"] = method_property(properties["method"])
    properties["quality"] = quality_property(properties["quality"])
    return schemas
