"""TorchServe's `/explanations/{model}[/{version}]`: PUT and POST, of a raw body or a form."""

import json
import re
from base64 import b64encode
from typing import Any

from fastapi import APIRouter, Request, Response

from schemas.errors import InvalidRequest, Problem
from schemas.models import InputCard
from service.dialects.call import Call, find_model
from service.dialects.described import EXPLAINING, dialect_errors, explained_response
from service.dialects.described_result import attributions_of
from service.dialects.error_forms import status_of
from service.dialects.instances import Instance, Location, read_instance
from service.dialects.numbers import Numbers, document_response
from service.dialects.options import OWN_FIELDS, Options, read_options
from service.dialects.running import explained_instances, headers_of
from service.http.authorization import Caller, ExplainCaller
from service.http.explain_body import FORM_MEDIA, JSON_MEDIA
from service.http.form import read_parts, target_of, text_of
from service.http.inflate import read_body
from service.monitoring.http_metrics import CLIENT_LEFT
from service.state import CurrentGateway, Gateway
from service.tuning import TORCHSERVE_WAIT_S
from service.validation.document.body import parse_json
from service.validation.document.field_errors import short
from service.validation.model import ReadyModel

PATHS = re.compile(r"/explanations(/.*)?", re.DOTALL)
DATA = ("data", "body")  # names of the field that holds the example; `body` is TorchServe's name for a raw one
_TYPES = {
    404: "ModelNotFoundException",
    405: "MethodNotAllowedException",
    413: "PayloadTooLargeException",
    429: "ServiceUnavailableException",
    500: "InternalServerException",
    503: "ServiceUnavailableException",
    504: "RequestTimeoutException",
}
EXAMPLE = [[0.5, -0.25]]
BODY: dict[str, Any] = {
    "required": True,
    "description": "The example itself: the file of a picture, a text, or JSON; or a form with the fields data and "
    "target. In JSON it may be wrapped, such as {'data': …, 'target': 1}. May be compressed by gzip or deflate.",
    "content": {
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        "application/json": {"schema": {}, "example": {"data": "What a lovely film.", "target": 1}},
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {
                    "data": {"type": "string", "format": "binary", "description": "The example."},
                    "target": {"type": "string", "description": "An index or a label."},
                },
                "required": ["data"],
            }
        },
    },
}


def error_form(problem: Problem) -> tuple[int, dict[str, Any]]:
    """An error as TorchServe sends it."""
    status = status_of(problem)
    kind = _TYPES.get(status, "BadRequestException")
    return status, {"code": status, "type": kind, "message": problem.detail}


router = APIRouter(tags=["dialects"])
_OPERATION: dict[str, Any] = {
    "summary": "Explain as TorchServe does",
    "description": "The attributions alone: nested numbers of a picture, a number for each column, or of a text a list "
    f"with its words, importances and delta. After {TORCHSERVE_WAIT_S:g} s, or the gateway's longest wait, the answer "
    "is 504 with the job's `Location`.",
    "openapi_extra": {"requestBody": BODY},
    "responses": {
        200: explained_response({}, "The attributions.", EXAMPLE),
        **dialect_errors(error_form, "TorchServeError", *EXPLAINING),
    },
}


@router.post("/explanations/{name}", **_OPERATION)
@router.put("/explanations/{name}", **_OPERATION)
async def explain(request: Request, gateway: CurrentGateway, caller: ExplainCaller, name: str) -> Response:
    return await _answered(request, gateway, caller, name, None)


@router.post("/explanations/{name}/{version}", **_OPERATION)
@router.put("/explanations/{name}/{version}", **_OPERATION)
async def explain_version(
    request: Request, gateway: CurrentGateway, caller: ExplainCaller, name: str, version: str
) -> Response:
    return await _answered(request, gateway, caller, name, version)


async def _answered(request: Request, gateway: Gateway, caller: Caller, name: str, version: str | None) -> Response:
    card = await find_model(gateway, name, version)
    model = ReadyModel.of(card)
    instance, options, size = await _read(request, gateway, model)
    call = Call(request, gateway, caller, TORCHSERVE_WAIT_S, size)
    found = await explained_instances(call, card, [instance], options, ["data"])
    if found is None:
        return Response(status_code=CLIENT_LEFT)
    numbers = Numbers()
    said = attributions_of(found[0], instance, numbers)
    document = [said] if model.input.kind == "text" else said
    return await document_response(gateway, document, numbers, headers_of(call, found))


async def _read(request: Request, gateway: Gateway, model: ReadyModel) -> tuple[Instance, Options, int]:
    """The example, its options, and the size of the body in bytes.

    Raises:
        InvalidRequest: a field of the form is unknown or missing, or the example is not of the model's kind.
        MalformedBody, BodyTooLarge: as `read_parts` and `read_body`.
    """
    media = request.headers.get("content-type", "")
    if FORM_MEDIA.match(media):
        fields = await _form(request)
        data = fields.pop("data")
        size = len(data)
    else:
        data, fields = await read_body(request, gateway), {}
        size = len(data)
    options = read_options(fields or None, model, ["target"])
    is_json = JSON_MEDIA.match(media) is not None
    instance = await gateway.compute_sized(size, _example, data, model.input, is_json)
    return instance, options, size


async def _form(request: Request) -> dict[str, Any]:
    """The fields of a form: `data`, the options of a method, and `target`."""
    fields: dict[str, Any] = {}
    for name, value in await read_parts(request):
        field = "data" if name in DATA else name
        if field in fields:
            raise InvalidRequest.at(short([name]), "given twice; give it once")
        if field == "data":
            fields[field] = value.encode() if isinstance(value, str) else value
        else:
            fields[field] = _option(field, text_of(name, value))
    if "data" not in fields:
        raise InvalidRequest.at(["data"], "this field is required")
    return fields


def _option(name: str, text: str) -> Any:
    """A target as an index or a label; another option as JSON if it is a number, else as text."""
    if name in OWN_FIELDS[:1]:
        return target_of(text)
    try:
        number = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return number if isinstance(number, int | float) else text


def _example(data: bytes, card: InputCard, is_json: bool) -> Instance:
    """The example of a raw body. What is no JSON by its media type is a picture, a text, or JSON of numbers."""
    loc: Location = ["data"]
    if card.kind == "image" and not is_json:
        return Instance({"image": b64encode(data).decode("ascii")})
    if card.kind == "text" and not is_json and not data.lstrip().startswith(b"{"):
        return Instance({"text": text_of("data", data)})
    return read_instance(parse_json(data), card, loc)
