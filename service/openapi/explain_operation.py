"""How the body of `POST /explain` is documented: as JSON, and as a form."""

from collections import defaultdict
from typing import Any

from schemas.methods import METHOD_NAMES, METHODS
from schemas.metric_requests import QUALITY_NAMES
from service.http.form import PARAMETERS
from service.openapi.examples import FORM_REQUESTS, JSON_REQUESTS

EXPLAIN_DESCRIPTION = (
    "Queues a job and answers 202 with it, or, with `Prefer: wait=10` or `?wait=10`, 200 with the finished job if it "
    "ends in time, or, with `?wait=10&answer=result`, its result in the format of `Accept`. Parameters of a method "
    "that are not given take Captum's defaults; method, baseline and layer take the model's.\n\n"
    "With curl: `curl -F image=@cat.jpg -F model=efficientnet-lite0 -F method=saliency …/explain`."
)


def method_property(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of `method`, which is also taken as a bare name."""
    by_name = {"type": "string", "enum": list(METHOD_NAMES), "description": "A method with its default parameters."}
    return {**schema, "anyOf": [by_name, *schema["anyOf"]]}


def quality_property(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of `quality`, whose metrics are also taken as bare names."""
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
        "quality": {"type": "string", "description": "Names of metrics with commas between, or the JSON list."},
        "seed": {"type": "string", "description": "An integer."},
        "priority": {"type": "string", "enum": ["interactive", "batch"]},
    }
    for name, methods in _parameters().items():
        properties[name] = {"type": "string", "description": f"Parameter of {', '.join(methods)}; JSON or text."}
    return {"type": "object", "properties": properties, "required": ["model"], "additionalProperties": False}


def _parameters() -> dict[str, list[str]]:
    """The methods that have each parameter."""
    owners: dict[str, list[str]] = defaultdict(list)
    for method, cls in METHODS.items():
        for name in cls.model_fields:
            if name in PARAMETERS:
                owners[name].append(method)
    return dict(sorted(owners.items()))


EXPLAIN_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {"schema": {"$ref": "#/components/schemas/ExplainRequest"}, "examples": JSON_REQUESTS},
        "multipart/form-data": {"schema": _form_schema(), "examples": FORM_REQUESTS},
    },
}
