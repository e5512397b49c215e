"""`/jobs/{id}/result` by `Accept`, `/jobs/{id}/overlay.png` and `/jobs/{id}/quality.png`."""

import hashlib
from importlib.metadata import version
from typing import Annotated, get_args

from fastapi import APIRouter, Header, Path, Query, Response

from broker import JobStore
from schemas.errors import (
    FigureNotFound,
    InvalidRequest,
    JobHasNoResult,
    JobNotFound,
    NotAcceptable,
    ResultNotReady,
    StoreUnavailable,
)
from schemas.results import ResultMeta
from service import examples, openapi
from service.negotiation import choose_language, choose_media
from service.overlay import OverlayQuery, draw, needs_payload
from service.pictures.options import Language
from service.quality_picture import QualityQuery, draw_quality, find_curves
from service.representations import JSON, MEDIA, NPY, PNG, SAFETENSORS, explanation_json, npy
from service.state import CurrentGateway, Gateway

router = APIRouter(tags=["results"])
JobId = Annotated[str, Path(description="As in the answer of POST /explain.")]
IfNoneMatch = Annotated[str | None, Header(description="An `ETag` seen before.")]
AcceptLanguage = Annotated[str | None, Header(description="Language of the words in a picture: `en` or `es`.")]
LANGUAGES: tuple[Language, ...] = get_args(Language)
VERSION = version("attribution-service")
BINARY = {"schema": {"type": "string", "format": "binary"}}
CACHE = {"Cache-Control": "private, max-age=3600, immutable"}  # a result never changes
CACHE_HEADERS = {
    "ETag": {"description": "Names this representation.", "schema": {"type": "string"}},
    "Cache-Control": {"description": "Private and immutable.", "schema": {"type": "string"}},
}
NOT_MODIFIED: openapi.Answers = {
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
    media = choose_media(accept, MEDIA)
    if media is None:
        raise NotAcceptable(f"A result is served as {', '.join(MEDIA)}.")
    meta, tensors = await _result(gateway.store, job_id)
    language = _language(accept_language)
    tag = _tag(job_id, media, tensor or "", language if media == PNG else "")
    headers = {**CACHE, "ETag": tag, "Vary": "Accept, Accept-Language"}
    if _matches(tag, if_none_match):
        return Response(status_code=304, headers=headers)
    if media == JSON:
        body = await gateway.compute_sized(len(meta) + len(tensors), explanation_json, meta, tensors)
    elif media == NPY:
        body = await gateway.compute_sized(len(tensors), npy, meta, tensors, tensor)
    elif media == SAFETENSORS:
        body = tensors
    else:
        body = await _picture(gateway, job_id, (meta, tensors), OverlayQuery(), language)
    return Response(body, media_type=media, headers=headers)


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
    result = await _result(gateway.store, job_id)
    language = _language(accept_language)
    tag = _tag(job_id, options.model_dump_json(), language)
    headers = {**CACHE, "ETag": tag, "Vary": "Accept-Language"}
    if _matches(tag, if_none_match):
        return Response(status_code=304, headers=headers)
    body = await _picture(gateway, job_id, result, options, language)
    return Response(body, media_type=PNG, headers=headers)


@router.get(
    "/jobs/{job_id}/quality.png",
    summary="The deletion and insertion curves",
    description="Of a job whose request asked for `deletion_insertion` in its `quality`, with its other figures below. "
    "Drawn from the stored figures: nothing is computed again. Parameters that are not listed are refused.",
    responses={
        200: {"description": "The picture.", "headers": CACHE_HEADERS, "content": {PNG: BINARY}},
        **NOT_MODIFIED,
        **openapi.problems(
            JobNotFound, FigureNotFound, ResultNotReady, JobHasNoResult, InvalidRequest, StoreUnavailable
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
    meta = ResultMeta.model_validate_json((await _result(gateway.store, job_id))[0])
    find_curves(meta, options)
    language = _language(accept_language)
    tag = _tag(job_id, "quality", options.model_dump_json(), language)
    headers = {**CACHE, "ETag": tag, "Vary": "Accept-Language"}
    if _matches(tag, if_none_match):
        return Response(status_code=304, headers=headers)
    body = await gateway.compute(draw_quality, meta, options, language)
    return Response(body, media_type=PNG, headers=headers)


async def _result(store: JobStore, job_id: str) -> tuple[bytes, bytes]:
    """`ResultMeta` as JSON, and the tensors. Raises `JobHasNoResult` with the job's own reason."""
    try:
        return await store.result(job_id)
    except JobHasNoResult:
        record = await store.get(job_id)
    reason = f": {record.error.detail} ({record.error.code})" if record.error else ""
    raise JobHasNoResult(f"the job is {record.status}{reason}")


async def _picture(
    gateway: Gateway, job_id: str, result: tuple[bytes, bytes], options: OverlayQuery, language: Language
) -> bytes:
    meta = ResultMeta.model_validate_json(result[0])
    payload = await gateway.store.payload(job_id) if needs_payload(meta) else b""
    return await gateway.compute(draw, meta, result[1], payload, options, language)


def _language(header: str | None) -> Language:
    return next(language for language in LANGUAGES if language == choose_language(header, LANGUAGES))


def _tag(*parts: str) -> str:
    """A strong entity tag; the version is in it because a release may draw or write otherwise."""
    digest = hashlib.sha256("\n".join((VERSION, *parts)).encode()).hexdigest()
    return f'"{digest[:32]}"'


def _matches(tag: str, header: str | None) -> bool:
    seen = [part.strip().removeprefix("W/") for part in (header or "").split(",")]
    return tag in seen or "*" in seen
