"""The OpenAPI document of the application: its description, its tags, and the schemas that routes refer to by name."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from schemas.comparisons import CompareRequest, Comparison
from schemas.dialects import (
    DialectError,
    TorchServeError,
    V1Answer,
    V1Model,
    V2Answer,
    V2Live,
    V2Model,
    V2ModelReady,
    V2Ready,
    V2Request,
    V2Server,
    VertexAnswer,
    VertexEndpoint,
    VertexError,
)
from schemas.errors import Problem, ServiceError
from schemas.jobs import Job, JobPage
from schemas.models import AdminCommandStatus, ModelCard
from schemas.monitors import Monitor, MonitorList, MonitorRequest
from schemas.requests import ExplainRequest
from schemas.results import AttributionPath, Explanation
from service.catalogue.guides import MethodCatalogue, MethodGuide
from service.gateway_documents import Alive, Health, ModelList
from service.http.problems import PROBLEM_MEDIA
from service.openapi.explain_operation import method_property, methods_property, quality_property
from service.openapi.response_objects import SCHEMA_REF, problems

SERVED = (
    Comparison,
    Job,
    JobPage,
    ModelCard,
    ModelList,
    AdminCommandStatus,
    Monitor,
    MonitorList,
    Explanation,
    AttributionPath,
    MethodCatalogue,
    MethodGuide,
    Alive,
    Health,
    Problem,
    DialectError,
    TorchServeError,
    V1Answer,
    V1Model,
    V2Answer,
    V2Live,
    V2Model,
    V2ModelReady,
    V2Ready,
    V2Server,
    VertexAnswer,
    VertexEndpoint,
    VertexError,
)
DESCRIPTION = (
    "Computes how much each pixel, feature or token contributed to a prediction. `POST /explain` queues a job, "
    "`GET /jobs/{id}` returns its progress, `GET /jobs/{id}/result` and `/overlay.png` return its result. "
    "Errors are RFC 9457 problem documents, in English or Spanish by `Accept-Language` or `?lang=`. "
    "Each response carries an `X-Request-Id`, the request's own if it has one."
)
TAGS = [
    {"name": "explain", "description": "Request an explanation."},
    {"name": "jobs", "description": "Follow, list and cancel jobs."},
    {"name": "comparisons", "description": "Explain one input in several ways, and see where they agree."},
    {"name": "results", "description": "Attributions as JSON, npy, safetensors and pictures."},
    {"name": "models", "description": "The models that can be explained."},
    {"name": "monitors", "description": "Watch whether the attributions of a model drift."},
    {"name": "methods", "description": "The attribution methods, compared in English and Spanish."},
    {"name": "dialects", "description": "Protocols of other systems, so that their clients need only another URL."},
    {"name": "page", "description": "The page to try, compare and learn."},
    {"name": "health", "description": "Health checks and metrics for operators."},
]
COMMON_RESPONSES = problems(ServiceError)  # any route may fail with an internal error


def install(app: FastAPI) -> None:
    """Make the application serve this document as `/openapi.json`."""

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
    """Remove the 422 responses that FastAPI adds to every route with parameters; routes here declare their own."""
    for operations in made["paths"].values():
        for operation in operations.values():
            if PROBLEM_MEDIA not in operation["responses"].get("422", {}).get("content", {}):
                operation["responses"].pop("422", None)
    for name in ("HTTPValidationError", "ValidationError"):
        made["components"]["schemas"].pop(name, None)


def _schemas() -> dict[str, Any]:
    """The schemas of the request and of all response documents, by name."""
    _, served = models_json_schema([(cls, "serialization") for cls in SERVED], ref_template=SCHEMA_REF)
    _, accepted = models_json_schema(
        [(cls, "validation") for cls in (ExplainRequest, CompareRequest, MonitorRequest, V2Request)],
        ref_template=SCHEMA_REF,
    )
    schemas: dict[str, Any] = {**served["$defs"], **accepted["$defs"]}
    properties = schemas["ExplainRequest"]["properties"]
    properties["method"] = method_property(properties["method"])
    properties["quality"] = quality_property(properties["quality"])
    compared = schemas["CompareRequest"]["properties"]
    compared["methods"] = methods_property(compared["methods"])
    return schemas
