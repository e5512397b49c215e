"""`/monitors`: watch whether the attributions of a model drift away from a reference."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from broker import MonitorRecord
from schemas.errors import (
    BodyTooLarge,
    InvalidRequest,
    JobNotFound,
    MalformedBody,
    ModelNotFound,
    ModelUnavailable,
    ModelUnloaded,
    MonitorNotFound,
    StoreFull,
    StoreUnavailable,
    TooManyMonitors,
    UnsupportedMedia,
)
from schemas.monitors import MONITOR_NAME, PARTS, Monitor, MonitorCounts, MonitorList, MonitorRequest, MonitorState
from schemas.timestamps import rfc3339
from service.http.authorization import MonitorCaller
from service.http.explain_body import JSON_MEDIA
from service.http.responses import json_response, root_path
from service.openapi import response_objects as openapi
from service.state import CurrentGateway, Gateway
from service.validation.document.body import parse_json, read_monitor_request
from service.validation.model import ReadyModel
from service.validation.monitor import check_monitor, check_reference_jobs

router = APIRouter(tags=["monitors"], responses=openapi.DENIED)
NAME = re.compile(MONITOR_NAME)
MonitorName = Annotated[str, Path(description="Letters, digits, dots, hyphens and underscores, at most 64.")]
BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": openapi.ref("MonitorRequest"),
            "example": {
                "model": "breast-cancer-mlp",
                "method": "integrated_gradients",
                "reference": "first:500",
                "window": 500,
            },
        }
    },
}
HEADERS = {"Location": {"description": "The monitor's URL.", "schema": {"type": "string"}}}
FOUND = openapi.json_response_object("Monitor", "The monitor.")


@router.put(
    "/monitors/{name}",
    status_code=201,
    summary="Watch the attributions of a model",
    description="Workers learn of it within two seconds. They compare the results of the model's jobs by this method "
    "with the reference. A key of scope `explain` watches its own jobs, one of scope `admin` those of every key. A "
    "monitor of this name that watches something else begins anew. docs/monitors.md has the formulas.",
    openapi_extra={"requestBody": BODY},
    responses={
        200: openapi.json_response_object("Monitor", "It was there already, and stays as it is.", headers=HEADERS),
        201: openapi.json_response_object("Monitor", "It is made.", headers=HEADERS),
        **openapi.problems(
            MalformedBody,
            ModelNotFound,
            JobNotFound,
            ModelUnloaded,
            TooManyMonitors,
            BodyTooLarge,
            UnsupportedMedia,
            InvalidRequest,
            StoreUnavailable,
            StoreFull,
            ModelUnavailable,
        ),
    },
)
async def put_monitor(request: Request, gateway: CurrentGateway, caller: MonitorCaller, name: MonitorName) -> Response:
    if not NAME.fullmatch(name):
        raise InvalidRequest.at(
            ["name"],
            "a name has letters, digits, dots, hyphens and underscores, at most 64, and begins with one of "
            "the first two",
        )
    wanted = await _body(request, gateway)
    model = ReadyModel.of(await gateway.cards.find(gateway.store, wanted.model, wanted.version))
    watches_all = caller.administers or not caller.owner
    definition = check_monitor(wanted, model, caller.owner, watches_all=watches_all)
    if definition.jobs is not None:
        check_reference_jobs(definition, await gateway.store.comparisons.jobs(definition.jobs))
    is_new = await gateway.store.monitors.put(name, definition)
    record = await gateway.store.monitors.get(name, caller.owner)
    headers = {"Location": f"{root_path(request)}/monitors/{name}"}
    return json_response(monitor_view(record), 201 if is_new else 200, headers)


@router.get(
    "/monitors",
    summary="List your monitors",
    description="By name, without statistics by feature, class and word.",
    responses={
        200: openapi.json_response_object("MonitorList", "The monitors."),
        **openapi.problems(StoreUnavailable),
    },
)
async def list_monitors(gateway: CurrentGateway, caller: MonitorCaller) -> Response:
    views = [monitor_view(record) for record in await gateway.store.monitors.all(caller.owner)]
    return json_response(MonitorList(monitors=[_short(view) for view in views]), headers={"Cache-Control": "no-store"})


@router.get(
    "/monitors/{name}",
    summary="A monitor, and how far its window is from the reference",
    responses={200: FOUND, **openapi.problems(MonitorNotFound, StoreUnavailable)},
)
async def get_monitor(gateway: CurrentGateway, caller: MonitorCaller, name: MonitorName) -> Response:
    record = await gateway.store.monitors.get(name, caller.owner)
    return json_response(monitor_view(record), headers={"Cache-Control": "no-store"})


@router.delete(
    "/monitors/{name}",
    status_code=204,
    summary="Delete a monitor, with all that it holds",
    responses={204: {"description": "It is gone."}, **openapi.problems(MonitorNotFound, StoreUnavailable)},
)
async def delete_monitor(gateway: CurrentGateway, caller: MonitorCaller, name: MonitorName) -> Response:
    await gateway.store.monitors.delete(name, caller.owner)
    return Response(status_code=204)


def monitor_view(record: MonitorRecord) -> Monitor:
    """A monitor as a client sees it."""
    one = record.definition
    state = _state(record)
    held = one.window if state == "watching" else record.full_parts * one.part + record.part_held
    return Monitor(
        name=record.name,
        state=state,
        model=one.model,
        version=one.version,
        method=one.method,
        parameters=one.parameters,
        reference=f"first:{one.first}" if one.jobs is None else f"jobs:{len(one.jobs)}",
        window=one.window,
        watches="all keys" if one.watches_all else "own key",
        created_at=rfc3339(record.created_ms),
        observed_at=None if record.observed_ms is None else rfc3339(record.observed_ms),
        counts=MonitorCounts(
            reference=record.collected if record.reference_count is None else record.reference_count,
            window=held,
            observed=record.observed,
            skipped=record.skipped,
        ),
        problem=record.problem,
        statistics=record.statistics,
    )


def _state(record: MonitorRecord) -> MonitorState:
    if record.reference_count is None:
        return "collecting reference"
    return "watching" if record.full_parts >= PARTS else "filling window"


def _short(view: Monitor) -> Monitor:
    """Without the long lists."""
    if view.statistics is None:
        return view
    statistics = view.statistics.model_copy(update={"features": [], "classes": [], "new_words": []})
    return view.model_copy(update={"statistics": statistics})


async def _body(request: Request, gateway: Gateway) -> MonitorRequest:
    """The validated request.

    Raises:
        UnsupportedMedia: the body is not JSON.
        MalformedBody, InvalidRequest: as `service.validation.document.body`.
    """
    if not JSON_MEDIA.match(request.headers.get("content-type", "")):
        raise UnsupportedMedia("Send application/json.")
    body = await request.body()
    return read_monitor_request(await gateway.compute_sized(len(body), parse_json, body))
