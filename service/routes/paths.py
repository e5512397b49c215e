"""`GET /jobs/{id}/path` and `/jobs/{id}/path.webp`: the way of Integrated Gradients from baseline to input."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from schemas.errors import (
    InvalidRequest,
    JobHasNoResult,
    JobNotFound,
    NotAcceptable,
    PathNotFound,
    ResultNotReady,
    StoreUnavailable,
)
from service.http.authorization import MayExplain
from service.http.negotiation import language_of
from service.openapi import response_objects as openapi
from service.results.caching import cached_response, entity_tag
from service.results.draw_path import PathQuery, draw_path, find_path
from service.results.drawing_memory import path_bytes
from service.results.formats import JSON, read_meta
from service.results.held import held_result, result_key
from service.results.representation import opened_result
from service.routes.parameters import BINARY, CACHE_HEADERS, NOT_MODIFIED, IfNoneMatch, JobId, PictureLanguage
from service.state import CurrentGateway

router = APIRouter(tags=["results"], dependencies=[MayExplain], responses=openapi.DENIED)
WEBP = "image/webp"
NO_PATH = openapi.problems(JobNotFound, PathNotFound, ResultNotReady, JobHasNoResult, InvalidRequest, StoreUnavailable)


@router.get(
    "/jobs/{job_id}/path",
    summary="The points of the path of Integrated Gradients",
    description="For jobs of `integrated_gradients` with `frames`: per example and point, alpha, the output there, and "
    "the sum of the attributions so far. The points are nodes of the quadrature, so they cost no rows. The maps are "
    "tensors of the result: `GET /jobs/{id}/result?tensor=path.input` as npy, or `overlay.png?frame=0` as a picture.",
    responses={
        200: openapi.json_response_object("AttributionPath", "The points.", headers=CACHE_HEADERS),
        **NOT_MODIFIED,
        **NO_PATH,
    },
)
async def get_path(gateway: CurrentGateway, job_id: JobId, if_none_match: IfNoneMatch = None) -> Response:
    path = find_path(read_meta((await opened_result(gateway.store, job_id)).meta))

    async def body() -> bytes:
        return path.model_dump_json().encode()

    return await cached_response(entity_tag(job_id, "path"), if_none_match, JSON, "", body)


@router.get(
    "/jobs/{job_id}/path.webp",
    summary="The path of Integrated Gradients as an animation",
    description="The picture lights up from the baseline to the input, the map fills on the scale of the whole, and "
    "below them the sum of the attributions follows the output. Unknown parameters are refused.",
    responses={
        200: {"description": "The animation.", "headers": CACHE_HEADERS, "content": {WEBP: BINARY}},
        **NOT_MODIFIED,
        **NO_PATH,
        **openapi.problems(NotAcceptable),
    },
)
async def get_path_animation(
    gateway: CurrentGateway,
    job_id: JobId,
    query: Annotated[PathQuery, Query()],
    accept_language: PictureLanguage = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    opened = await opened_result(gateway.store, job_id)
    meta = read_meta(opened.meta)
    find_path(meta)
    language = query.lang or language_of(accept_language)
    tag = entity_tag(job_id, "path.webp", query.model_dump_json(), language)

    async def draw() -> bytes:
        drawing_bytes = path_bytes(meta, query.overlay())
        async with held_result(gateway, job_id, meta, opened, drawing_bytes) as (tensors, payload):
            return await gateway.compute(draw_path, meta, tensors, payload, query, language)

    async def body() -> bytes:
        return await gateway.rendered.get(result_key("path.webp", job_id, opened, query, language), draw)

    return await cached_response(tag, if_none_match, WEBP, "Accept-Language", body)
