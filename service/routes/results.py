"""`/jobs/{id}/result` by `Accept`, `/jobs/{id}/overlay.png` and `/jobs/{id}/quality.png`."""

from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Response

from schemas.errors import (
    InvalidRequest,
    JobHasNoResult,
    JobNotFound,
    MetricNotFound,
    NotAcceptable,
    ResultNotReady,
    StoreUnavailable,
)
from schemas.results import ResultMeta
from service.openapi import operations as openapi
from service.openapi import examples
from service.results.formats import JSON, MEDIA, NPY, PNG, SAFETENSORS
from service.results.representation import (
    CACHE,
    RequestedFormat,
    result_response,
    entity_tag,
    language_of,
    matches,
    picture,
    stored_result,
)
from service.results.draw_overlay import OverlayQuery
from service.results.draw_quality import QualityQuery, draw_quality, find_curves
from service.state import CurrentGateway

router = APIRouter(tags=["results"])
JobId = Annotated[str, Path(description="As in the answer of POST /explain.")]
IfNoneMatch = Annotated[str | None, Header(description="An `ETag` seen before.")]
AcceptLanguage = Annotated[str | None, Header(description="Language of the words in a picture: `en` or `es`.")]
BINARY = {"schema": {"type": "string", "format": "binary"}}
CACHE_HEADERS = {
    "ETag": {"description": "Names this representation.", "schema": {"type": "string"}},
    "Cache-Control": {"description": "Private and immutable.", "schema": {"type": "string"}},
}
NOT_MODIFIED: openapi.ResponseObjects = {
    304: {"description": "The representation that `If-None-Match` names is still the one."}
}
NO_RESULT = openapi.problems(
    JobNotFound, NotAcceptable, ResultNotReady, JobHasNoResult, InvalidRequest, StoreUnavailable
)


@router.get(
    "/jobs/{job_id}/result",
    summary="The attributions, in the format of `Accept`",
    description="JSON with everything known about the explanation; one attribution tensor as .npy; all of them as "
    "safetensors; or the overlay with its default options as PNG.",
    responses={
        200: {
            "description": "The result.",
            "headers": CACHE_HEADERS,
            "content": {
                JSON: {"schema": openapi.ref("Explanation"), "example": examples.EXPLANATION},
                NPY: BINARY,
                SAFETENSORS: BINARY,
                PNG: BINARY,
            },
        },
        **NOT_MODIFIED,
        **NO_RESULT,
    },
)
async def get_result(
    gateway: CurrentGateway,
    job_id: JobId,
    tensor: Annotated[
        str | None, Query(max_length=300, description="Which tensor, for application/x-npy. Default: the first.")
    ] = None,
    accept: Annotated[str | None, Header(description=", ".join(MEDIA))] = None,
    accept_language: AcceptLanguage = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    return await result_response(gateway, job_id, RequestedFormat.of(accept, accept_language, tensor), if_none_match)


@router.get(
    "/jobs/{job_id}/overlay.png",
    summary="The attribution as a picture",
    description="A heat map over what the model saw of a picture, coloured words for a text, bars for a table row. "
    "Drawn from the stored attribution: nothing is computed again. Parameters that are not listed are refused.",
    responses={
        200: {"description": "The picture.", "headers": CACHE_HEADERS, "content": {PNG: BINARY}},
        **NOT_MODIFIED,
        **NO_RESULT,
    },
)
async def get_overlay(
    gateway: CurrentGateway,
    job_id: JobId,
    options: Annotated[OverlayQuery, Query()],
    accept_language: AcceptLanguage = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    result = await stored_result(gateway.store, job_id)
    language = language_of(accept_language)
    tag = entity_tag(job_id, options.model_dump_json(), language)
    headers = {**CACHE, "ETag": tag, "Vary": "Accept-Language"}
    if matches(tag, if_none_match):
        return Response(status_code=304, headers=headers)
    body = await picture(gateway, job_id, result, options, language)
    return Response(body, media_type=PNG, headers=headers)


@router.get(
    "/jobs/{job_id}/quality.png",
    summary="The deletion and insertion curves",
    description="Of a job whose request asked for `deletion_insertion` in its `quality`, with its other metrics below. "
    "Drawn from the stored metrics: nothing is computed again. Parameters that are not listed are refused.",
    responses={
        200: {"description": "The picture.", "headers": CACHE_HEADERS, "content": {PNG: BINARY}},
        **NOT_MODIFIED,
        **openapi.problems(
            JobNotFound, MetricNotFound, ResultNotReady, JobHasNoResult, InvalidRequest, StoreUnavailable
        ),
    },
)
async def get_quality(
    gateway: CurrentGateway,
    job_id: JobId,
    options: Annotated[QualityQuery, Query()],
    accept_language: AcceptLanguage = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    meta = ResultMeta.model_validate_json((await stored_result(gateway.store, job_id))[0])
    find_curves(meta, options)
    language = language_of(accept_language)
    tag = entity_tag(job_id, "quality", options.model_dump_json(), language)
    headers = {**CACHE, "ETag": tag, "Vary": "Accept-Language"}
    if matches(tag, if_none_match):
        return Response(status_code=304, headers=headers)
    body = await gateway.compute(draw_quality, meta, options, language)
    return Response(body, media_type=PNG, headers=headers)
