"""A job's result as an HTTP response in the negotiated format."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from fastapi import Response

from broker import JobRecord, OpenedResult, Store, StoredResult
from schemas.errors import InvalidRequest, JobHasNoResult, NotAcceptable
from schemas.results import Encoding
from schemas.sentences import Sentence, words
from service.http.negotiation import choose_media, language_of
from service.languages import Language
from service.results.caching import cached_response, entity_tag
from service.results.draw_overlay import OverlayQuery, draw_overlay, draw_vector, sheet_width
from service.results.drawing_memory import overlay_bytes
from service.results.formats import (
    DRAWN,
    HTML,
    JSON,
    MEDIA,
    NPY,
    PNG,
    SVG,
    explanation_json,
    formats_of,
    meta_in_language,
    npy,
    read_meta,
)
from service.results.held import held_result, result_key
from service.results.html_fragment import html_fragment
from service.results.streams import Streamed, streamed_blob, streamed_json, streamed_npy
from service.state import Gateway
from service.tuning import COPIED_BYTES

# For documents that a browser would render: even if one were wrongly escaped, nothing in it would run or be fetched.
HARMLESS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class RequestedFormat:
    """The format in which a client requests a result.

    `language` is that of the words in a picture, and of warnings; `tensor` names the tensor to send as .npy, None for
    the first; `drawing` are the options of a picture; `accept` is the header, for results that are not available as
    `media`; `numbers`: whether a JSON document holds those of the attributions, and `encoding` how.
    """

    media: str
    language: Language
    tensor: str | None = None
    drawing: OverlayQuery = field(default_factory=OverlayQuery)
    accept: str | None = field(default=None, compare=False)
    numbers: bool = True
    encoding: Encoding = "numbers"

    @classmethod
    def of(
        cls,
        accept: str | None,
        accept_language: str | None,
        tensor: str | None = None,
        drawing: OverlayQuery | None = None,
        *,
        numbers: bool = True,
        encoding: Encoding = "numbers",
    ) -> Self:
        """The format that the request's headers prefer.

        Raises:
            NotAcceptable: the client accepts no format of a result.
            InvalidRequest: there are options of a drawing, and the format is none; or options of JSON, and the format
                is another.
        """
        drawing = drawing or OverlayQuery()
        media = _chosen(accept, MEDIA, drawing)
        for name, is_given in (("numbers", not numbers), ("encoding", encoding != "numbers")):
            if is_given and media != JSON:
                raise InvalidRequest.at(["query", name], Sentence("belongs to {media}; accept it", media=JSON))
        return cls(media, drawing.lang or language_of(accept_language), tensor, drawing, accept, numbers, encoding)

    def among(self, offers: Sequence[str]) -> Self:
        """The same where `media` is offered; else with the format of the offers that the client prefers.

        Raises:
            NotAcceptable: the client accepts none of them.
            InvalidRequest: as `of`.
        """
        return self if self.media in offers else replace(self, media=_chosen(self.accept, offers, self.drawing))

    def for_result(self, stored: bytes) -> Self:
        """`among` the formats of a stored result."""
        if self.media not in (SVG, HTML):  # the others are those of every result
            return self
        meta = read_meta(stored)
        return self.among(formats_of(table=meta.features is not None, text=meta.words is not None))


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
    requested = requested.for_result(opened.meta)
    drawn = requested.media in DRAWN
    if requested.media == JSON:
        opened = replace(opened, meta=meta_in_language(opened.meta, requested.language))
    tag = _tag(job_id, requested)

    async def body() -> bytes | Streamed:
        if requested.media == PNG:
            return await overlay_png(gateway, job_id, opened, requested.drawing, requested.language)
        if drawn:
            return await _drawn_apart(gateway, job_id, opened.meta, requested)
        if not opened.is_whole:
            return await _streamed(gateway, opened, requested)
        meta, tensors = opened.meta, opened.first
        if requested.media == JSON:
            arguments = (meta, tensors, requested.encoding)
            return await gateway.compute_sized(len(meta) + len(tensors), explanation_json, *arguments)
        if requested.media == NPY:
            return await gateway.compute_sized(
                len(tensors), npy, meta, tensors, requested.tensor, small_bytes=COPIED_BYTES
            )
        return tensors

    async def description() -> bytes:
        return opened.meta

    made = body if requested.numbers else description
    response = await cached_response(tag, if_none_match, requested.media, "Accept, Accept-Language", made)
    if requested.media in (SVG, HTML):
        response.headers.update(HARMLESS)
    return response


def _tag(job_id: str, requested: RequestedFormat) -> str:
    """The entity tag of a result in this format: of all that its bytes depend on."""
    drawn = requested.media in DRAWN
    spoken = (requested.language,) if drawn or requested.media == JSON else ()
    look = (requested.drawing.model_dump_json(),) if drawn else ()
    numbers = requested.encoding if requested.numbers else "without numbers"
    return entity_tag(job_id, requested.media, requested.tensor or "", *spoken, *look, numbers)


def _chosen(accept: str | None, offers: Sequence[str], drawing: OverlayQuery) -> str:
    media = choose_media(accept, offers)
    if media is None:
        raise NotAcceptable(Sentence("A result is available as {media}; accept one of them.", media=", ".join(offers)))
    given = sorted(drawing.model_fields_set - {"lang"})
    if given and media not in DRAWN:  # they would be ignored
        drawn = ", ".join(offer for offer in offers if offer in DRAWN)
        raise InvalidRequest.at(
            ["query", given[0]], Sentence("{media} is no picture; accept one of {drawn}", media=media, drawn=drawn)
        )
    return media


async def _drawn_apart(gateway: Gateway, job_id: str, stored: bytes, requested: RequestedFormat) -> bytes:
    """A result as SVG or HTML, which need no tensors."""
    meta = read_meta(stored)
    if requested.media == SVG:
        return await gateway.compute(draw_vector, meta, requested.drawing, requested.language)
    payload = await gateway.store.jobs.payload(job_id) if meta.words is not None else b""
    return await gateway.compute(html_fragment, meta, payload, requested.drawing.example, requested.language)


async def _streamed(gateway: Gateway, opened: OpenedResult, requested: RequestedFormat) -> Streamed:
    """A large result, in parts."""
    if requested.media == JSON:
        return await streamed_json(gateway, opened, requested.encoding)
    return await streamed_npy(opened, requested.tensor) if requested.media == NPY else streamed_blob(opened)


def whole_result(stored: StoredResult) -> OpenedResult:
    """A result that is in memory."""
    meta, tensors = stored
    return OpenedResult(meta, len(tensors), tensors)


def ended_without_result(record: JobRecord) -> Sentence:
    """What became of a job that has no result, with its own reason."""
    error = record.error
    if error is None:
        return Sentence("the job is {status}", status=record.status)
    return Sentence(
        "the job is {status}: {reason} ({code})", status=record.status, reason=words(error.reason), code=error.code
    )


async def opened_result(store: Store, job_id: str) -> OpenedResult:
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
    raise JobHasNoResult(ended_without_result(record))


async def overlay_png(
    gateway: Gateway, job_id: str, opened: OpenedResult, options: OverlayQuery, language: Language
) -> bytes:
    """The overlay of a stored result as PNG, drawn unless an equal one has been drawn lately.

    Raises:
        Unavailable: other pictures hold the memory for too long.
        InvalidRequest, NotAcceptable: as `draw_overlay`.
    """

    async def draw() -> bytes:
        meta = read_meta(opened.meta)
        drawing_bytes = overlay_bytes(meta, options, sheet_width(options))
        async with held_result(gateway, job_id, meta, opened, drawing_bytes) as (tensors, payload):
            return await gateway.compute(draw_overlay, meta, tensors, payload, options, language)

    return await gateway.rendered.get(result_key("overlay", job_id, opened, options, language), draw)
