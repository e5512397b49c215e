"""A job's result as an HTTP answer, in the format a client likes best."""

import hashlib
from dataclasses import dataclass
from importlib.metadata import version
from typing import get_args

from fastapi import Response

from broker import JobStore, StoredResult
from schemas.errors import JobHasNoResult, NotAcceptable
from schemas.results import ResultMeta
from service.http.negotiation import choose_language, choose_media
from service.pictures.overlay_options import Language
from service.results.formats import JSON, MEDIA, NPY, PNG, SAFETENSORS, explanation_json, npy
from service.results.draw_overlay import OverlayQuery, draw, needs_payload
from service.state import COPIED_BYTES, Gateway

LANGUAGES: tuple[Language, ...] = get_args(Language)
VERSION = version("attribution-service")
CACHE = {"Cache-Control": "private, max-age=3600, immutable"}  # a result never changes


@dataclass(frozen=True, slots=True)
class RequestedFormat:
    """How a client wants a result: its media type, the language of words in a picture, and, as .npy, which tensor."""

    media: str
    language: Language
    tensor: str | None = None

    @classmethod
    def of(cls, accept: str | None, accept_language: str | None, tensor: str | None = None) -> "Wish":
        """From a request's headers.

        Raises:
            NotAcceptable: no result has a format that the client accepts.
        """
        media = choose_media(accept, MEDIA)
        if media is None:
            raise NotAcceptable(f"A result is served as {', '.join(MEDIA)}.")
        return cls(media, language_of(accept_language), tensor)


async def result_response(
    gateway: Gateway, job_id: str, wish: RequestedFormat, if_none_match: str | None = None, known: StoredResult | None = None
) -> Response:
    """The result of a job that has ended; `known` where it need not be fetched.

    Raises:
        JobNotFound, ResultNotReady, JobHasNoResult: see `stored_result`.
        InvalidRequest: the result holds no such tensor.
        StoreUnavailable: Redis is away.
    """
    meta, tensors = known or await stored_result(gateway.store, job_id)
    tag = entity_tag(job_id, wish.media, wish.tensor or "", wish.language if wish.media == PNG else "")
    headers = {**CACHE, "ETag": tag, "Vary": "Accept, Accept-Language"}
    if matches(tag, if_none_match):
        return Response(status_code=304, headers=headers)
    if wish.media == JSON:
        body = await gateway.compute_sized(len(meta) + len(tensors), explanation_json, meta, tensors)
    elif wish.media == NPY:
        body = await gateway.compute_sized(len(tensors), npy, meta, tensors, wish.tensor, small_bytes=COPIED_BYTES)
    elif wish.media == SAFETENSORS:
        body = tensors
    else:
        body = await picture(gateway, job_id, (meta, tensors), OverlayQuery(), wish.language)
    return Response(body, media_type=wish.media, headers=headers)


async def stored_result(store: JobStore, job_id: str) -> StoredResult:
    """What the worker has handed in.

    Raises:
        JobNotFound: no such job, or no longer.
        ResultNotReady: it has not ended.
        JobHasNoResult: it did not succeed; with the job's own reason.
    """
    try:
        return await store.result(job_id)
    except JobHasNoResult:
        record = await store.get(job_id)
    reason = f": {record.error.detail} ({record.error.code})" if record.error else ""
    raise JobHasNoResult(f"the job is {record.status}{reason}")


async def picture(
    gateway: Gateway, job_id: str, stored: StoredResult, options: OverlayQuery, language: Language
) -> bytes:
    """The overlay as PNG."""
    meta = ResultMeta.model_validate_json(stored[0])
    payload = await gateway.store.payload(job_id) if needs_payload(meta) else b""
    return await gateway.compute(draw, meta, stored[1], payload, options, language)


def language_of(header: str | None) -> Language:
    """The language of words in a picture, by `Accept-Language`."""
    return next(language for language in LANGUAGES if language == choose_language(header, LANGUAGES))


def entity_tag(*parts: str) -> str:
    """A strong entity tag; the version is in it because a release may draw or write otherwise."""
    digest = hashlib.sha256("\n".join((VERSION, *parts)).encode()).hexdigest()
    return f'"{digest[:32]}"'


def matches(tag: str, header: str | None) -> bool:
    """Whether `If-None-Match` names this entity tag."""
    seen = [part.strip().removeprefix("W/") for part in (header or "").split(",")]
    return tag in seen or "*" in seen
