"""A job's result as an HTTP response in the negotiated format."""

from dataclasses import dataclass
from typing import Self

from fastapi import Response

from broker import JobStore, OpenedResult, StoredResult
from schemas.errors import JobHasNoResult, NotAcceptable
from schemas.sentences import Sentence
from service.http.negotiation import choose_media, language_of
from service.languages import Language
from service.results.caching import cached_response, entity_tag
from service.results.draw_overlay import OverlayQuery, draw_overlay, needs_payload
from service.results.formats import JSON, MEDIA, NPY, PNG, explanation_json, npy, read_meta
from service.results.streams import Streamed, streamed_blob, streamed_json, streamed_npy
from service.state import Gateway
from service.tuning import COPIED_BYTES


@dataclass(frozen=True, slots=True)
class RequestedFormat:
    """The format in which a client requests a result.

    `language` is that of the words in a picture; `tensor` names the tensor to send as .npy, None for the first.
    """

    media: str
    language: Language
    tensor: str | None = None

    @classmethod
    def of(cls, accept: str | None, accept_language: str | None, tensor: str | None = None) -> Self:
        """The format that the request's headers prefer.

        Raises:
            NotAcceptable: the client accepts no format of a result.
        """
        media = choose_media(accept, MEDIA)
        if media is None:
            raise NotAcceptable(
                Sentence("A result is available as {media}; accept one of them.", media=", ".join(MEDIA))
            )
        return cls(media, language_of(accept_language), tensor)


async def result_response(
    gateway: Gateway,
    job_id: str,
    requested: RequestedFormat,
    if_none_match: str | None = None,
    fetched: StoredResult | None = None,
) -> Response:
    """The result of a job that has ended.

    Args:
        fetched: the stored result, if the caller has it already.

    Raises:
        JobNotFound, ResultNotReady, JobHasNoResult: as `opened_result`.
        InvalidRequest: the result holds no tensor of that name.
        StoreUnavailable: the job store cannot be reached.
    """
    opened = await opened_result(gateway.store, job_id) if fetched is None else whole_result(fetched)
    language = requested.language if requested.media == PNG else ""
    tag = entity_tag(job_id, requested.media, requested.tensor or "", language)

    async def body() -> bytes | Streamed:
        if requested.media == PNG:
            return await overlay_png(gateway, job_id, opened, OverlayQuery(), requested.language)
        if not opened.is_whole:
            return await _streamed(gateway, opened, requested)
        meta, tensors = opened.meta, opened.first
        if requested.media == JSON:
            return await gateway.compute_sized(len(meta) + len(tensors), explanation_json, meta, tensors)
        if requested.media == NPY:
            arguments = (meta, tensors, requested.tensor)
            return await gateway.compute_sized(len(tensors), npy, *arguments, small_bytes=COPIED_BYTES)
        return tensors

    return await cached_response(tag, if_none_match, requested.media, "Accept, Accept-Language", body)


async def _streamed(gateway: Gateway, opened: OpenedResult, requested: RequestedFormat) -> Streamed:
    """A large result, in parts."""
    if requested.media == JSON:
        return await streamed_json(gateway, opened)
    return await streamed_npy(opened, requested.tensor) if requested.media == NPY else streamed_blob(opened)


def whole_result(stored: StoredResult) -> OpenedResult:
    """A result that is in memory."""
    meta, tensors = stored
    return OpenedResult(meta, len(tensors), tensors)


async def opened_result(store: JobStore, job_id: str) -> OpenedResult:
    """The result that a worker has stored for the job; large tensors stay in the store.

    Raises:
        JobNotFound: no such job, or it has expired.
        ResultNotReady: the job has not ended.
        JobHasNoResult: the job failed or was cancelled; with the job's own reason.
        StoreUnavailable: the job store cannot be reached.
    """
    try:
        return await store.results.open(job_id)
    except JobHasNoResult:
        record = await store.jobs.get(job_id)
    reason = f": {record.error.detail} ({record.error.code})" if record.error else ""
    raise JobHasNoResult(Sentence("the job is {status}{reason}", status=record.status, reason=reason))


async def overlay_png(
    gateway: Gateway, job_id: str, opened: OpenedResult, options: OverlayQuery, language: Language
) -> bytes:
    """The overlay of a stored result as PNG. Large tensors are in memory for one request at a time."""
    meta = read_meta(opened.meta)
    payload = await gateway.store.jobs.payload(job_id) if needs_payload(meta) else b""
    if opened.is_whole:
        return await gateway.compute(draw_overlay, meta, opened.first, payload, options, language)
    async with gateway.large_results:
        return await gateway.compute(draw_overlay, meta, await opened.whole(), payload, options, language)
