"""`POST /models/{name}/load` and `/unload`: the admin commands."""

import asyncio
from time import monotonic
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import ValidationError

from broker import Store
from schemas.base import Strict
from schemas.errors import (
    AdminDisabled,
    BodyTooLarge,
    InvalidRequest,
    MalformedBody,
    ModelNotFound,
    ScopeMissing,
    StoreUnavailable,
    Unauthorized,
)
from schemas.models import AdminAction, AdminCommandStatus, ModelState
from schemas.requests import Version
from schemas.sentences import Sentence
from service.http.authorization import MayAdminister
from service.http.disconnect import unless_disconnected
from service.http.responses import json_response
from service.model_residence import with_residence
from service.monitoring.http_metrics import CLIENT_LEFT
from service.openapi import response_objects as openapi
from service.routes.models import NAME
from service.state import CurrentGateway, Gateway
from service.validation.document.body import parse_json
from service.validation.document.field_errors import field_errors

router = APIRouter(tags=["models"], dependencies=[MayAdminister])
POLL_S = 0.1  # between two looks at what the workers have executed, which the store does not publish


class VersionBody(Strict):
    """The body, which may be absent."""

    version: Version | None = None


class _AdminCommand(NamedTuple):
    """An admin command as given. `version` None: every version."""

    id: str
    action: AdminAction
    model: str
    version: str | None


NamePath = Annotated[str, Path(description="As in GET /models, and for loading as in a `model.toml` that is new.")]
VersionQuery = Annotated[Version | None, Query(description="Default: every version. The body may name it instead.")]
WaitQuery = Annotated[
    float | None,
    Query(ge=0, le=86_400, allow_inf_nan=False, description="Seconds to wait until the workers have acted."),
]
BODY = {
    "requestBody": {
        "required": False,
        "content": {
            "application/json": {
                "schema": VersionBody.model_json_schema(),
                "example": {"version": "2"},
            }
        },
    }
}
ANSWERS: openapi.ResponseObjects = {
    200: openapi.json_response_object("AdminCommandStatus", "Every live worker has acted within the wait."),
    202: openapi.json_response_object(
        "AdminCommandStatus",
        "The command is given. The model's card shows its effect.",
        headers={"Location": {"description": "The model's card.", "schema": {"type": "string"}}},
    ),
    **openapi.problems(
        MalformedBody,
        Unauthorized,
        AdminDisabled,
        ScopeMissing,
        ModelNotFound,
        BodyTooLarge,
        InvalidRequest,
        StoreUnavailable,
    ),
}


@router.post(
    "/models/{name}/load",
    status_code=202,
    summary="Load a model, or load it again",
    description="Workers look through their own directories for folders of this name, and load those that are new, "
    "unloaded, or changed since; a changed one replaces the old without dropping the jobs that run on it.",
    openapi_extra=BODY,
    responses=ANSWERS,
)
async def load_model(
    request: Request,
    gateway: CurrentGateway,
    name: NamePath,
    version: VersionQuery = None,
    wait: WaitQuery = None,
) -> Response:
    version = await _version(request, gateway, name, version)
    command_id = await gateway.store.admin_commands.load(name, version)
    return await _answer(request, gateway, _AdminCommand(command_id, "load", name, version), wait)


@router.post(
    "/models/{name}/unload",
    status_code=202,
    summary="Take a model out of service",
    description="From now on requests for it are refused with `model_unloaded`. Jobs that run are finished; those that "
    "wait fail with `model_unloaded`. It stays so, for workers that start later too, until it is loaded again.",
    openapi_extra=BODY,
    responses=ANSWERS,
)
async def unload_model(
    request: Request,
    gateway: CurrentGateway,
    name: NamePath,
    version: VersionQuery = None,
    wait: WaitQuery = None,
) -> Response:
    version = await _version(request, gateway, name, version)
    known = [card.version for card in await gateway.store.models.cards() if card.name == name]
    versions = [one for one in known if version in (None, one)]
    if not versions:
        raise ModelNotFound(
            Sentence("there is no version {version} of {name}", version=version, name=name)
            if known
            else Sentence("there is no model {name}", name=name)
        )
    command_id = await gateway.store.admin_commands.unload(name, versions)
    return await _answer(request, gateway, _AdminCommand(command_id, "unload", name, version), wait)


async def _version(request: Request, gateway: Gateway, name: str, version: str | None) -> str | None:
    """The version from the query or the body.

    Raises:
        ModelNotFound: no model can have this name.
        MalformedBody, InvalidRequest: the body is not JSON, not valid, or names another version than the query.
    """
    if not NAME.fullmatch(name):
        raise ModelNotFound("no such model")
    body = await request.body()
    if not body:
        return version
    document = await gateway.compute(parse_json, body)
    try:
        of_body = VersionBody.model_validate(document).version
    except ValidationError as error:
        raise InvalidRequest("The body is not valid.", errors=field_errors(error.errors(), document)) from None
    if None not in (of_body, version) and of_body != version:
        raise InvalidRequest.at(["version"], "the query names another one than the body")
    return of_body or version


async def _answer(request: Request, gateway: Gateway, command: _AdminCommand, wait_s: float | None) -> Response:
    """The status of the command after the wait, with the models that it is about."""
    wait_s = min(wait_s or 0.0, gateway.settings.max_wait_s)
    done = await unless_disconnected(
        request, gateway.waits.until_stop(lambda: _is_executed(gateway.store, command.id, wait_s), False)
    )
    if done is None:
        return Response(status_code=CLIENT_LEFT)
    name, version = command.model, command.version
    cards, workers = await asyncio.gather(gateway.store.models.cards(), gateway.store.workers.live())
    models = [
        ModelState.model_validate(with_residence(card, workers).model_dump(include=set(ModelState.model_fields)))
        for card in cards
        if card.name == name and version in (None, card.version)
    ]
    if done and not models:
        described = f"{name} {version}" if version else name
        raise ModelNotFound(Sentence("no worker has a folder that describes {model}", model=described))
    self_link = f"{request.scope.get('root_path', '')}/models/{name}" + (f"?version={version}" if version else "")
    status = AdminCommandStatus(action=command.action, model=name, version=version, done=done, models=models)
    return json_response(status, 200 if done else 202, {"Location": self_link})


async def _is_executed(store: Store, command_id: str, wait_s: float) -> bool:
    """Whether every live worker has executed the command by the end of the wait."""
    until = monotonic() + wait_s
    while True:
        if await store.admin_commands.is_executed(command_id):
            return True
        if monotonic() >= until:
            return False
        await asyncio.sleep(POLL_S)
