"""The documentation of `POST /explain`: its description, its body as JSON and as a form, and its responses."""

from collections import defaultdict
from typing import Any

from schemas.errors import (
    BodyTooLarge,
    IdempotencyConflict,
    InvalidRequest,
    JobHasNoResult,
    KeyLimitReached,
    MalformedBody,
    ModelNotFound,
    ModelUnavailable,
    ModelUnloaded,
    NotAcceptable,
    Overloaded,
    ScopeMissing,
    StoreFull,
    StoreUnavailable,
    Unauthorized,
    UnsupportedMedia,
)
from schemas.methods import METHOD_NAMES, METHODS
from schemas.metric_requests import QUALITY_NAMES
from service.http.form import PARAMETERS
from service.openapi.examples import EXPLANATION, FORM_REQUESTS, JSON_REQUESTS, QUEUED_JOB, SUCCEEDED_JOB
from service.openapi.response_objects import ResponseObjects, json_response_object, problems, ref
from service.results.formats import JSON, MEDIA

EXPLAIN_DESCRIPTION = (
    "Queues a job and returns 202 with it. With `Prefer: wait=10` or `?wait=10` it returns 200 with the finished job "
    "if the job ends in time; with `?wait=10&answer=result`, the job's result in the format of `Accept`. Parameters of "
    "a method that are absent take Captum's defaults; method, baseline and layer take the model's.\n\n"
    "With curl: `curl -F image=@cat.jpg -F model=efficientnet-lite0 -F method=saliency …/explain`."
)
RESPONSE_HEADERS = {
    "Location": {"description": "The job's URL, to be polled.", "schema": {"type": "string"}},
    "Preference-Applied": {"description": "The `wait` of `Prefer`, as applied.", "schema": {"type": "string"}},
}
_ENDED_RESPONSE = {
    "description": "The job ended within the wait: the job, or its result.",
    "headers": RESPONSE_HEADERS,
    "content": {
        JSON: {
            "schema": {"anyOf": [ref("Job"), ref("Explanation")]},
            "examples": {
                "job": {"summary": "The job", "value": SUCCEEDED_JOB},
                "result": {"summary": "Its result, with `?answer=result`", "value": EXPLANATION},
            },
        },
        **{media: {"schema": {"type": "string", "format": "binary"}} for media in MEDIA if media != JSON},
    },
}
EXPLAIN_RESPONSES: ResponseObjects = {
    200: _ENDED_RESPONSE,
    202: json_response_object("Job", "The job is queued or running.", QUEUED_JOB, RESPONSE_HEADERS),
    **problems(
        MalformedBody,
        Unauthorized,
        ScopeMissing,
        ModelNotFound,
        ModelUnloaded,
        BodyTooLarge,
        UnsupportedMedia,
        NotAcceptable,
        InvalidRequest,
        IdempotencyConflict,
        JobHasNoResult,
        Overloaded,
        KeyLimitReached,
        StoreUnavailable,
        StoreFull,
        ModelUnavailable,
    ),
}


def method_property(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of `method`, which may also be a bare name."""
    by_name = {"type": "string", "enum": list(METHOD_NAMES), "description": "A method with its default parameters."}
    return {**schema, "anyOf": [by_name, *schema["anyOf"]]}


def methods_property(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of `methods`, each of which may also be a bare name."""
    array, *others = schema["anyOf"]
    by_name = {"type": "string", "enum": list(METHOD_NAMES), "description": "A method with its default parameters."}
    return {**schema, "anyOf": [{**array, "items": {"anyOf": [by_name, array["items"]]}}, *others]}


def quality_property(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of `quality`, whose metrics may also be bare names."""
    by_name = {"type": "string", "enum": list(QUALITY_NAMES), "description": "A metric with its default parameters."}
    return {**schema, "items": {"anyOf": [by_name, schema["items"]]}}


def _form_schema() -> dict[str, Any]:
    properties: dict[str, Any] = {
        "model": {"type": "string"},
        "version": {"type": "string"},
        "image": {"type": "string", "format": "binary", "description": "A PNG, JPEG or WebP file."},
        "text": {"type": "string"},
        "features": {"type": "string", "description": "JSON: a row `{name: value}`, or a list of rows."},
        "tensor": {"type": "string", "description": "JSON: a model-ready tensor."},
        "tensors": {"type": "string", "description": "JSON: a list of model-ready tensors."},
        "method": {"type": "string", "description": "A name, or the JSON object."},
        "target": {"type": "string", "description": "An index, a label, or a JSON list of them."},
        "quality": {"type": "string", "description": "Names of metrics separated by commas, or the JSON list."},
        "seed": {"type": "string", "description": "An integer."},
        "priority": {"type": "string", "enum": ["interactive", "batch"]},
    }
    for name, methods in _methods_by_parameter().items():
        properties[name] = {"type": "string", "description": f"Parameter of {', '.join(methods)}; JSON or text."}
    return {"type": "object", "properties": properties, "required": ["model"], "additionalProperties": False}


def _methods_by_parameter() -> dict[str, list[str]]:
    """For each parameter of a form, the methods that have it."""
    owners: dict[str, list[str]] = defaultdict(list)
    for method, cls in METHODS.items():
        for name in cls.model_fields:
            if name in PARAMETERS:
                owners[name].append(method)
    return dict(sorted(owners.items()))


EXPLAIN_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {"schema": ref("ExplainRequest"), "examples": JSON_REQUESTS},
        "multipart/form-data": {"schema": _form_schema(), "examples": FORM_REQUESTS},
    },
}
