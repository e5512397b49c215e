"""HTTP caching of results: entity tags, and 304 responses to clients that hold the current representation."""

import hashlib
from collections.abc import Awaitable, Callable

from fastapi import Response
from fastapi.responses import StreamingResponse

from service.http.cut import unless_cut
from service.monitoring.request_trace import traced
from service.release import RELEASE
from service.results.streams import Streamed

CACHE_CONTROL = "private, max-age=3600, immutable"  # a result never changes


async def cached_response(
    tag: str, if_none_match: str | None, media: str, vary: str, body: Callable[[], Awaitable[bytes | Streamed]]
) -> Response:
    """A cacheable response: 304 if `If-None-Match` names the entity tag, else 200 with the body.

    Args:
        media: the media type of the body.
        vary: the request headers that the representation depends on.
        body: makes the body; called only if the client needs it.
    """
    headers = {"Cache-Control": CACHE_CONTROL, "ETag": tag, "Vary": vary}
    if matches(tag, if_none_match):
        return Response(status_code=304, headers=headers)
    with traced("render") as span:
        made = await body()
        if span is not None:
            span.annotate({"attribution.media_type": media})
    if isinstance(made, bytes):
        return Response(made, media_type=media, headers=headers)
    if made.size is not None:
        headers["Content-Length"] = str(made.size)
    return StreamingResponse(unless_cut(made.parts), media_type=media, headers=headers)


def entity_tag(*parts: str) -> str:
    """A strong entity tag of the parts and of this release, because another release may render otherwise."""
    digest = hashlib.sha256("\n".join((RELEASE, *parts)).encode()).hexdigest()
    return f'"{digest[:32]}"'


def matches(tag: str, if_none_match: str | None) -> bool:
    """Whether `If-None-Match` names this entity tag."""
    held = [part.strip().removeprefix("W/") for part in (if_none_match or "").split(",")]
    return tag in held or "*" in held
