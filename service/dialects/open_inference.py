"""The Open Inference Protocol (v2), as MLServer's and Seldon's explainers answer `infer`, and TorchServe `explain`.

Requests: JSON, or JSON with the tensors' bytes behind it (`Inference-Header-Content-Length`), also compressed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response

from schemas.dialects import V2Live, V2ModelReady, V2Ready, V2Server
from schemas.errors import InvalidRequest, MalformedBody, ServiceError, Unavailable
from schemas.models import ModelCard
from service.dialects.call import Call, find_model, parsed_object
from service.dialects.described import EXPLAINING, READING, dialect_errors, explained_response, json_body
from service.dialects.error_forms import plain_form
from service.dialects.instances import Instance
from service.dialects.open_inference_answers import explain_answer, infer_answer, model_document
from service.dialects.open_inference_examples import ANSWER, EXPLAIN_ANSWER, MODEL, REQUESTS, SERVER
from service.dialects.options import Options, read_options
from service.dialects.planning import Part
from service.dialects.running import Explained, explained, explained_instances
from service.dialects.v2_tensors import read_inputs, read_tensors
from service.http.authorization import Caller, ExplainCaller, MayReadModels
from service.http.inflate import read_body
from service.http.responses import json_response
from service.monitoring.http_metrics import CLIENT_LEFT
from service.openapi.response_objects import json_response_object, ref
from service.readiness import live_workers
from service.release import RELEASE
from service.state import CurrentGateway, Gateway
from service.tuning import DIALECT_WAIT_S
from service.validation.model import ReadyModel

PATHS = re.compile(r"/v2(/.*)?", re.DOTALL)
SUFFIX = "-explainer"  # that Seldon gives the name of a model's explainer
HEADER = "Inference-Header-Content-Length"
# Parameters of the protocol and of its servers, which say nothing about an explanation.
PROTOCOL = frozenset(
    {
        *("binary_data_output", "binary_data_size", "content_type", "headers", "priority", "timeout"),
        *("sequence_id", "sequence_start", "sequence_end", "explain_parameters"),
    }
)
OUTPUTS = frozenset({"explanation", "explain"})


error_form = plain_form
router = APIRouter(tags=["dialects"])
_READING = dialect_errors(error_form, "DialectError", *READING)
_EXPLAINING = dialect_errors(error_form, "DialectError", *EXPLAINING)
_INTERNAL = dialect_errors(error_form, "DialectError", ServiceError)
BINARY = {"schema": {"type": "string", "format": "binary"}}
BODY = json_body(ref("V2Request"), REQUESTS)
BODY["content"]["application/octet-stream"] = BINARY
BODY["description"] = (
    f"JSON, or JSON with the bytes of tensors behind it, its own length in `{HEADER}`. May be compressed by gzip or "
    "deflate. `parameters`, and `explain_parameters` in them, are the method, its parameters, target and seed."
)
_INFER: dict[str, Any] = {
    "summary": "Explain as MLServer's explainers do",
    "description": "One BYTES output `explanation` with `meta` and `data` as JSON text. The name of the model may end "
    f"with `{SUFFIX}`. After {DIALECT_WAIT_S:g} s the answer is 504 with the job's `Location`.",
    "openapi_extra": {"requestBody": BODY},
    "responses": {200: explained_response(ref("V2Answer"), "The explanation.", ANSWER), **_EXPLAINING},
}
_EXPLAIN: dict[str, Any] = {
    **_INFER,
    "summary": "Explain as TorchServe does",
    "description": "One output `explain` with the attributions; of texts, each element is JSON text of words and "
    f"importances. After {DIALECT_WAIT_S:g} s the answer is 504 with the job's `Location`.",
    "responses": {200: explained_response(ref("V2Answer"), "The attributions.", EXPLAIN_ANSWER), **_EXPLAINING},
}
_METADATA: dict[str, Any] = {
    "dependencies": [MayReadModels],
    "summary": "A model's tensors",
    "responses": {200: json_response_object("V2Model", "The metadata.", MODEL), **_READING},
}
_MODEL_READY: dict[str, Any] = {
    "dependencies": [MayReadModels],
    "summary": "Does the model take requests?",
    "responses": {
        200: json_response_object("V2ModelReady", "It does.", {"name": "breast-cancer-mlp", "ready": True}),
        **_READING,
    },
}


@dataclass(frozen=True, slots=True)
class _Translated:
    """A request: its examples as a list or as whole tensors with their number, and its options."""

    id: str | None
    given: list[Instance] | tuple[dict[str, Any], int]
    options: Options


@router.get(
    "/v2",
    summary="The server's metadata",
    responses={200: json_response_object("V2Server", "The metadata.", SERVER), **_INTERNAL},
)
async def server_metadata() -> Response:
    return json_response(V2Server(name=SERVER["name"], version=RELEASE, extensions=SERVER["extensions"]))


@router.get(
    "/v2/health/live",
    summary="Is the server alive?",
    responses={200: json_response_object("V2Live", "It is.", {"live": True}), **_INTERNAL},
)
async def live() -> Response:
    return json_response(V2Live(live=True))


@router.get(
    "/v2/health/ready",
    summary="Can requests be accepted?",
    responses={
        200: json_response_object("V2Ready", "They can.", {"ready": True}),
        **dialect_errors(error_form, "DialectError", Unavailable, ServiceError),
    },
)
async def ready(gateway: CurrentGateway) -> Response:
    await live_workers(gateway.store)
    return json_response(V2Ready(ready=True))


@router.get("/v2/models/{name}", **_METADATA)
async def model_metadata(gateway: CurrentGateway, name: str) -> Response:
    return json_response(model_document(await find_model(gateway, name, suffix=SUFFIX), name))


@router.get("/v2/models/{name}/versions/{version}", **_METADATA)
async def version_metadata(gateway: CurrentGateway, name: str, version: str) -> Response:
    return json_response(model_document(await find_model(gateway, name, version, SUFFIX), name))


@router.get("/v2/models/{name}/ready", **_MODEL_READY)
async def model_ready(gateway: CurrentGateway, name: str) -> Response:
    ReadyModel.of(await find_model(gateway, name, suffix=SUFFIX))
    return json_response(V2ModelReady(name=name, ready=True))


@router.get("/v2/models/{name}/versions/{version}/ready", **_MODEL_READY)
async def version_ready(gateway: CurrentGateway, name: str, version: str) -> Response:
    ReadyModel.of(await find_model(gateway, name, version, SUFFIX))
    return json_response(V2ModelReady(name=name, ready=True))


@router.post("/v2/models/{name}/infer", **_INFER)
async def infer(request: Request, gateway: CurrentGateway, caller: ExplainCaller, name: str) -> Response:
    return await _answered(request, gateway, caller, name, None, infer_answer)


@router.post("/v2/models/{name}/versions/{version}/infer", **_INFER)
async def infer_version(
    request: Request, gateway: CurrentGateway, caller: ExplainCaller, name: str, version: str
) -> Response:
    return await _answered(request, gateway, caller, name, version, infer_answer)


@router.post("/v2/models/{name}/explain", **_EXPLAIN)
async def explain(request: Request, gateway: CurrentGateway, caller: ExplainCaller, name: str) -> Response:
    return await _answered(request, gateway, caller, name, None, explain_answer)


@router.post("/v2/models/{name}/versions/{version}/explain", **_EXPLAIN)
async def explain_version(
    request: Request, gateway: CurrentGateway, caller: ExplainCaller, name: str, version: str
) -> Response:
    return await _answered(request, gateway, caller, name, version, explain_answer)


async def _answered(
    request: Request, gateway: Gateway, caller: Caller, name: str, version: str | None, answer: Any
) -> Response:
    card = await find_model(gateway, name, version, SUFFIX)
    model = ReadyModel.of(card)
    body = await read_body(request, gateway)
    length = request.headers.get(HEADER)
    translated = await gateway.compute_sized(len(body), _translated, body, length, model)
    call = Call(request, gateway, caller, DIALECT_WAIT_S, len(body))
    found = await _explained(call, card, translated)
    if found is None:
        return Response(status_code=CLIENT_LEFT)
    response: Response = await answer(call, name, translated.id, found)
    return response


async def _explained(call: Call, card: ModelCard, translated: _Translated) -> Sequence[Explained] | None:
    given, options = translated.given, translated.options
    if isinstance(given, list):
        return await explained_instances(call, card, given, options, ["inputs"])
    whole, count = given
    return await explained(call, card, [Part(whole, options.target, 0, count)], options)


def _translated(body: bytes, length: str | None, model: ReadyModel) -> _Translated:
    head, binary = _split(body, length)
    document = parsed_object(head)
    given = read_inputs(read_tensors(document.get("inputs"), binary), model.input)
    _check_outputs(document.get("outputs"))
    own = document.get("id")
    return _Translated(own[:200] if isinstance(own, str) else None, given, _options(document, model))


def _split(body: bytes, length: str | None) -> tuple[bytes, bytes]:
    """The JSON, and the bytes behind it."""
    if length is None:
        return body, b""
    if not (length.isascii() and length.isdigit()) or len(length) > len(str(len(body))) or int(length) > len(body):
        raise MalformedBody("Inference-Header-Content-Length is not the length of the JSON.")
    return body[: int(length)], body[int(length) :]


def _options(document: dict[str, Any], model: ReadyModel) -> Options:
    parameters = document.get("parameters")
    if parameters is None:
        return Options()
    if not isinstance(parameters, dict):
        raise InvalidRequest.at(["parameters"], "give an object")
    inner = parameters.get("explain_parameters") or {}
    if not isinstance(inner, dict):
        raise InvalidRequest.at(["parameters", "explain_parameters"], "give an object")
    outer = {name: value for name, value in parameters.items() if name not in PROTOCOL}
    return read_options({**outer, **inner} or None, model, ["parameters"])


def _check_outputs(given: Any) -> None:
    for index, one in enumerate(given if isinstance(given, list) else []):
        if not isinstance(one, dict) or one.get("name") not in OUTPUTS:
            raise InvalidRequest.at(["outputs", index, "name"], "the outputs are called explanation and explain")
