"""`GET /jobs/{id}/result` in the format of `Accept`, `/jobs/{id}/overlay.png` and `/jobs/{id}/quality.png`."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response

from schemas.errors import (
    InvalidRequest,
    JobHasNoResult,
    JobNotFound,
    MetricNotFound,
    NotAcceptable,
    ResultNotReady,
    StoreUnavailable,
)
from service.http.authorization import MayExplain
from service.http.negotiation import language_of
from service.openapi import examples
from service.openapi import response_objects as openapi
from service.results.caching import cached_response, entity_tag
from service.results.draw_overlay import OverlayQuery
from service.results.draw_quality import QualityQuery, draw_quality, find_curves
from service.results.drawing_memory import plot_bytes
from service.results.formats import HTML, JSON, MEDIA, NPY, PNG, SAFETENSORS, SVG, read_meta
from service.results.held import result_key
from service.results.representation import HARMLESS, RequestedFormat, opened_result, overlay_png, result_response
from service.routes.drawing_parameters import drawing_parameters, read_drawing
from service.routes.parameters import (
    BINARY,
    CACHE_HEADERS,
    NOT_MODIFIED,
    EncodingQuery,
    IfNoneMatch,
    JobId,
    PictureLanguage,
)
from service.state import CurrentGateway, Gateway

router = APIRouter(tags=["results"], dependencies=[MayExplain], responses=openapi.DENIED)
PICTURE = {"description": "The picture.", "headers": CACHE_HEADERS, "content": {PNG: BINARY}}
QUALITY_DESCRIPTION = (
    "For jobs whose request names `deletion_insertion` in its `quality`; the other metrics stand below the curves. "
    "Drawn from the stored metrics: nothing is computed again. Unknown parameters are refused."
)
NO_CURVES = openapi.problems(
    JobNotFound, MetricNotFound, ResultNotReady, JobHasNoResult, InvalidRequest, StoreUnavailable
)
NO_RESULT = openapi.problems(
    JobNotFound, NotAcceptable, ResultNotReady, JobHasNoResult, InvalidRequest, StoreUnavailable
)


@router.get(
    "/jobs/{job_id}/result",
    summary="The attributions, in the format of `Accept`",
    description="The whole explanation as JSON; one attribution tensor as .npy; all tensors as safetensors; or the "
    "overlay as PNG, with the parameters of `overlay.png`; the bars of a table row as SVG; a text or a table row as an "
    "HTML fragment. Unknown parameters are refused.",
    openapi_extra={"parameters": drawing_parameters()},
    responses={
        200: {
            "description": "The result.",
            "headers": CACHE_HEADERS,
            "content": {
                JSON: {"schema": openapi.ref("Explanation"), "example": examples.EXPLANATION},
                NPY: BINARY,
                SAFETENSORS: BINARY,
                PNG: BINARY,
                SVG: BINARY,
                HTML: BINARY,
            },
        },
        **NOT_MODIFIED,
        **NO_RESULT,
    },
)
async def get_result(
    request: Request,
    gateway: CurrentGateway,
    job_id: JobId,
    tensor: Annotated[
        str | None, Query(max_length=300, description="The tensor to send as application/x-npy. Default: the first.")
    ] = None,
    numbers: Annotated[
        bool, Query(description="`false`: JSON without the numbers of the attributions, a few kilobytes.")
    ] = True,
    encoding: EncodingQuery = "numbers",
    accept: Annotated[str | None, Header(description=", ".join(MEDIA))] = None,
    accept_language: PictureLanguage = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    drawing = read_drawing(request, "tensor", "numbers", "encoding")
    requested = RequestedFormat.of(accept, accept_language, tensor, drawing, numbers=numbers, encoding=encoding)
    return await result_response(gateway, job_id, requested, if_none_match)


@router.get(
    "/jobs/{job_id}/overlay.png",
    summary="The attribution as a picture",
    description="A heat map over what the model saw of a picture, coloured words for a text, bars for a table row. "
    "Drawn from the stored attribution: nothing is computed again. Unknown parameters are refused.",
    responses={200: PICTURE, **NOT_MODIFIED, **NO_RESULT},
)
async def get_overlay(
    gateway: CurrentGateway,
    job_id: JobId,
    options: Annotated[OverlayQuery, Query()],
    accept_language: PictureLanguage = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    opened = await opened_result(gateway.store, job_id)
    language = options.lang or language_of(accept_language)
    tag = entity_tag(job_id, options.model_dump_json(), language)

    async def body() -> bytes:
        return await overlay_png(gateway, job_id, opened, options, language)

    return await cached_response(tag, if_none_match, PNG, "Accept-Language", body)


@router.get(
    "/jobs/{job_id}/quality.png",
    summary="The deletion and insertion curves",
    description=QUALITY_DESCRIPTION,
    responses={200: PICTURE, **NOT_MODIFIED, **NO_CURVES},
)
async def get_quality(
    gateway: CurrentGateway,
    job_id: JobId,
    options: Annotated[QualityQuery, Query()],
    accept_language: PictureLanguage = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    return await _quality(gateway, job_id, options, accept_language, if_none_match, PNG)


@router.get(
    "/jobs/{job_id}/quality.svg",
    summary="The deletion and insertion curves as vectors",
    description=QUALITY_DESCRIPTION,
    responses={200: {**PICTURE, "content": {SVG: BINARY}}, **NOT_MODIFIED, **NO_CURVES},
)
async def get_quality_vectors(
    gateway: CurrentGateway,
    job_id: JobId,
    options: Annotated[QualityQuery, Query()],
    accept_language: PictureLanguage = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    response = await _quality(gateway, job_id, options, accept_language, if_none_match, SVG)
    response.headers.update(HARMLESS)
    return response


async def _quality(
    gateway: Gateway,
    job_id: str,
    options: QualityQuery,
    accept_language: str | None,
    if_none_match: str | None,
    media: str,
) -> Response:
    opened = await opened_result(gateway.store, job_id)
    meta = read_meta(opened.meta)
    find_curves(meta, options)
    language = options.lang or language_of(accept_language)
    tag = entity_tag(job_id, "quality", media, options.model_dump_json(), language)

    async def draw() -> bytes:
        async with gateway.picture_memory.reserve(plot_bytes(options.size)):
            return await gateway.compute(partial(draw_quality, vector=media == SVG), meta, options, language)

    async def body() -> bytes:
        return await gateway.rendered.get(result_key(f"quality {media}", job_id, opened, options, language), draw)

    return await cached_response(tag, if_none_match, media, "Accept-Language", body)
