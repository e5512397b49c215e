"""Vertex AI's `POST /v1/projects/*/locations/*/endpoints/{endpoint}:explain`, and what its client asks of an endpoint.

An endpoint is the model whose `model.toml` names it under `[dialects.vertex]`, else the model of that name.
"""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from fastapi import APIRouter, Request, Response

from schemas.dialects import VertexDeployedModel, VertexEndpoint
from schemas.errors import InvalidRequest, ModelNotFound, Problem
from schemas.models import ModelCard
from schemas.sentences import Sentence
from service.dialects.call import NAME, Call, find_model, parsed_object
from service.dialects.described import EXPLAINING, READING, dialect_errors, explained_response, json_body
from service.dialects.error_forms import status_of
from service.dialects.instances import Instance, read_instances
from service.dialects.numbers import Numbers, document_response
from service.dialects.running import Explained, explained_instances, headers_of
from service.dialects.vertex_answers import ANSWER, ENDPOINT, REQUESTS, attribution, drawn
from service.dialects.vertex_override import Override, read_override
from service.http.authorization import ExplainCaller, MayReadModels
from service.http.inflate import read_body
from service.monitoring.http_metrics import CLIENT_LEFT
from service.openapi.response_objects import json_response_object, ref
from service.state import CurrentGateway, Gateway
from service.tuning import DIALECT_WAIT_S, MAX_DIALECT_JOBS
from service.validation.model import ReadyModel

PATHS = re.compile(r"/v1/projects(/.*)?", re.DOTALL)
FIELDS = ("instances", "parameters", "explanationSpecOverride", "deployedModelId")
BODY_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["instances"],
    "properties": {
        "instances": {"type": "array", "items": {}, "description": "As in KServe's v1."},
        "parameters": {"description": "Of the prediction; ignored."},
        "explanationSpecOverride": {"type": "object", "description": "Method, steps, top outputs, baselines, picture."},
        "deployedModelId": {"type": "string", "description": "A version of the model."},
    },
}
_STATUS = {  # of Google's APIs, by the status of HTTP
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    409: "FAILED_PRECONDITION",
    413: "INVALID_ARGUMENT",
    415: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def error_form(problem: Problem) -> tuple[int, dict[str, Any]]:
    """An error as Google's APIs send it. What is not valid names its fields."""
    status = status_of(problem)
    error: dict[str, Any] = {
        "code": status,
        "message": problem.detail,
        "status": _STATUS.get(status, "UNKNOWN"),
    }
    if problem.errors:
        fields = [{"field": ".".join(map(str, one.loc)), "description": one.msg} for one in problem.errors]
        error["details"] = [{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": fields}]
    return status, {"error": error}


router = APIRouter(tags=["dialects"])


@dataclass(frozen=True, slots=True)
class _Translated:
    instances: list[Instance]
    override: Override


@router.get(
    "/v1/projects/{project}/locations/{location}/endpoints/{endpoint}",
    dependencies=[MayReadModels],
    summary="An endpoint of Vertex AI, which is a model here",
    responses={
        200: json_response_object("VertexEndpoint", "The endpoint.", ENDPOINT),
        **dialect_errors(error_form, "VertexError", *READING),
    },
)
async def get_endpoint(gateway: CurrentGateway, project: str, location: str, endpoint: str) -> Response:
    card = await _endpoint(gateway, endpoint)
    deployed = VertexDeployedModel(id=card.version, model=card.name, display_name=card.name)
    found = VertexEndpoint(
        name=f"projects/{project}/locations/{location}/endpoints/{endpoint}",
        display_name=card.name,
        deployed_models=[deployed],
    )
    return Response(found.model_dump_json(by_alias=True), media_type="application/json")


@router.post(
    "/v1/projects/{project}/locations/{location}/endpoints/{endpoint}:explain",
    summary="Explain as Vertex AI does",
    description="An attribution for each instance and output: the predicted one, the `topK` highest (at most 5), or "
    "those of `outputIndices`. Each has `approximationError`, the completeness error relative to the difference of the "
    f"outputs. After {DIALECT_WAIT_S:g} s the answer is 504 with the job's `Location`.",
    openapi_extra={"requestBody": json_body(BODY_SCHEMA, REQUESTS)},
    responses={
        200: explained_response(ref("VertexAnswer"), "The explanations.", ANSWER),
        **dialect_errors(error_form, "VertexError", *EXPLAINING),
    },
)
async def explain(
    request: Request, gateway: CurrentGateway, caller: ExplainCaller, project: str, location: str, endpoint: str
) -> Response:
    body = await read_body(request, gateway)
    document = await gateway.compute_sized(len(body), _checked, body)
    card = await _endpoint(gateway, endpoint, document.get("deployedModelId"))
    translated = await gateway.compute_sized(len(body), _translated, document, ReadyModel.of(card))
    call = Call(request, gateway, caller, DIALECT_WAIT_S, len(body))
    ranks = await _ranks(call, card, translated)
    if ranks is None:
        return Response(status_code=CLIENT_LEFT)
    return await _answered(call, card, translated, ranks)


async def _endpoint(gateway: Gateway, name: str, version: Any = None) -> ModelCard:
    if version is not None and not isinstance(version, str):
        raise InvalidRequest.at(["deployedModelId"], "a string is needed")
    if not NAME.fullmatch(name):
        raise ModelNotFound("no such model: a name has letters, digits, dots, hyphens and underscores")
    model = await gateway.cards.model_of_endpoint(gateway.store, name)
    return await find_model(gateway, model or name, version)


def _checked(body: bytes) -> dict[str, Any]:
    document = parsed_object(body)
    unknown = next((name for name in document if name not in FIELDS), None)
    if unknown is not None:
        raise InvalidRequest.at([unknown[:100]], Sentence("unknown; give one of {names}", names=", ".join(FIELDS)))
    return document


def _translated(document: dict[str, Any], model: ReadyModel) -> _Translated:
    override = read_override(document.get("explanationSpecOverride"), model)
    instances = read_instances(document.get("instances"), model.input, ["instances"])
    jobs = len(instances) * max(override.top, len(override.outputs or ()))
    if jobs > MAX_DIALECT_JOBS:
        raise InvalidRequest(
            Sentence("the request takes {count} jobs; at most {most} are accepted", count=jobs, most=MAX_DIALECT_JOBS)
        )
    return _Translated(instances, override)


async def _ranks(call: Call, card: ModelCard, translated: _Translated) -> list[Sequence[Explained]] | None:
    """What the jobs say of every instance, for each output in turn; None if the client disconnected.

    Which outputs are the highest is known when the first has been explained. All share one wait.
    """
    begun, override, instances = time.monotonic(), translated.override, translated.instances
    targets: list[Any] = list(override.outputs) if override.outputs else [None]
    ranks: list[Sequence[Explained]] = []
    while targets:
        options = override.options(targets.pop(0))
        left_s = max(0.0, call.limited_wait_s - (time.monotonic() - begun))
        found = await explained_instances(replace(call, wait_s=left_s), card, instances, options, ["instances"])
        if found is None:
            return None
        ranks.append(found)
        if len(ranks) == 1 and override.outputs is None and override.top > 1:
            targets = [_ranked(found, rank) for rank in range(1, override.top)]
    return ranks


def _ranked(found: Sequence[Explained], rank: int) -> list[int]:
    """The output of this rank of each example, 0 for the highest."""
    return [one.meta.predictions[one.example][rank].index for one in found]


async def _answered(
    call: Call, card: ModelCard, translated: _Translated, ranks: Sequence[Sequence[Explained]]
) -> Response:
    numbers = Numbers()
    explanations = []
    for index, instance in enumerate(translated.instances):
        attributions = []
        for found in ranks:
            one = found[index]
            picture = await drawn(call, one, translated.override.picture) if translated.override.picture else None
            attributions.append(attribution(one, instance, numbers, picture))
        explanations.append({"attributions": attributions})
    document = {
        "explanations": explanations,
        "deployedModelId": card.version,
        "predictions": [
            [prediction.model_dump() for prediction in one.meta.predictions[one.example]] for one in ranks[0]
        ],
    }
    every = [one for found in ranks for one in found]
    return await document_response(call.gateway, document, numbers, headers_of(call, every))
