"""KServe's v1 protocol: `POST /v1/models/{model}:explain`, and whether a model is ready."""

import re
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response

from schemas.dialects import V1Model
from schemas.errors import InvalidRequest
from service.dialects.call import Call, find_model, parsed_object
from service.dialects.described import EXPLAINING, READING, dialect_errors, explained_response, json_body
from service.dialects.described_result import attributions_of, predictions_of
from service.dialects.error_forms import plain_form
from service.dialects.instances import Instance, read_instances
from service.dialects.numbers import Numbers, document_response
from service.dialects.options import Options, read_options
from service.dialects.running import explained_instances, headers_of
from service.http.authorization import ExplainCaller, MayReadModels
from service.http.inflate import read_body
from service.http.responses import json_response
from service.monitoring.http_metrics import CLIENT_LEFT
from service.openapi.examples import NUCLEI, TINY_PNG
from service.openapi.response_objects import json_response_object, ref
from service.state import CurrentGateway
from service.tuning import DIALECT_WAIT_S
from service.validation.model import ReadyModel

PATHS = re.compile(r"/v1/models(/.*)?", re.DOTALL)
REQUESTS: dict[str, Any] = {
    "table_rows": {
        "summary": "Two rows of a table, for breast-cancer-mlp",
        "value": {"instances": [list(NUCLEI.values()), NUCLEI], "parameters": {"n_steps": 20, "target": 1}},
    },
    "picture": {
        "summary": "A picture as base64, for efficientnet-lite0",
        "value": {"instances": [{"image_bytes": {"b64": TINY_PNG}}], "parameters": {"method": "saliency"}},
    },
    "texts": {
        "summary": "Two texts, each with its own target, for minilm-sentiment",
        "value": {"instances": [{"data": "What a lovely film.", "target": 1}, {"data": "Not bad.", "target": 0}]},
    },
}
ANSWER: dict[str, Any] = {
    "predictions": [[{"index": 1, "label": "yes", "score": 0.75}, {"index": 0, "label": "no", "score": 0.25}]],
    "explanations": [[0.5, -0.25]],
}
BODY_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "instances": {
            "type": "array",
            "items": {},
            "description": "A picture as base64, a text, a row as a list or an object, or nested numbers. Each may be "
            "wrapped, such as {'data': …, 'target': 1}.",
        },
        "inputs": {"type": "array", "items": {}, "description": "The same, by its other name."},
        "parameters": {"type": "object", "description": "Method, its parameters, target and seed: an addition."},
    },
}


error_form = plain_form
router = APIRouter(tags=["dialects"])


@dataclass(frozen=True, slots=True)
class _Translated:
    instances: list[Instance]
    options: Options


@router.get(
    "/v1/models/{name}",
    dependencies=[MayReadModels],
    summary="Does the model take requests? As KServe says it",
    responses={
        200: json_response_object("V1Model", "It does.", {"name": "breast-cancer-mlp", "ready": True}),
        **dialect_errors(error_form, "DialectError", *READING),
    },
)
async def model(gateway: CurrentGateway, name: str) -> Response:
    ReadyModel.of(await find_model(gateway, name))
    return json_response(V1Model(name=name, ready=True))


@router.post(
    "/v1/models/{name}:explain",
    summary="Explain as KServe's v1 does",
    description="An explanation for each instance: of a picture or tensor nested numbers, of a row a number for each "
    "column, of a text its words with importances. May be compressed by gzip or deflate. "
    f"After {DIALECT_WAIT_S:g} s the answer is 504 with the job's `Location`.",
    openapi_extra={"requestBody": json_body(BODY_SCHEMA, REQUESTS)},
    responses={
        200: explained_response(ref("V1Answer"), "The explanations.", ANSWER),
        **dialect_errors(error_form, "DialectError", *EXPLAINING),
    },
)
async def explain(request: Request, gateway: CurrentGateway, caller: ExplainCaller, name: str) -> Response:
    card = await find_model(gateway, name)
    model = ReadyModel.of(card)
    body = await read_body(request, gateway)
    translated = await gateway.compute_sized(len(body), _translated, body, model)
    call = Call(request, gateway, caller, DIALECT_WAIT_S, len(body))
    found = await explained_instances(call, card, translated.instances, translated.options, ["instances"])
    if found is None:
        return Response(status_code=CLIENT_LEFT)
    numbers = Numbers()
    document = {
        "predictions": [predictions_of(one) for one in found],
        "explanations": [
            attributions_of(one, instance, numbers) for one, instance in zip(found, translated.instances, strict=True)
        ],
    }
    return await document_response(gateway, document, numbers, headers_of(call, found))


def _translated(body: bytes, model: ReadyModel) -> _Translated:
    document = parsed_object(body)
    unknown = next((name for name in document if name not in ("instances", "inputs", "parameters")), None)
    if unknown is not None or ("instances" in document) == ("inputs" in document):
        raise InvalidRequest("The body holds instances or inputs, and perhaps parameters, and nothing else.")
    given = document.get("instances", document.get("inputs"))
    options = read_options(document.get("parameters"), model, ["parameters"])
    return _Translated(read_instances(given, model.input, ["instances"]), options)
