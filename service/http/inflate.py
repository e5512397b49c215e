"""Request bodies that are compressed by gzip or deflate, inflated within a bound."""

import zlib

from fastapi import Request

from schemas.errors import BodyTooLarge, MalformedBody, UnsupportedMedia
from schemas.sentences import Sentence
from service.http.body_limit import GROW
from service.state import Gateway
from service.tuning import INFLATED_PART_BYTES, SMALL_JSON_BYTES

# Window sizes of zlib by the name of the encoding. `deflate` is the zlib format, as RFC 9110 says.
ENCODINGS = {"gzip": zlib.MAX_WBITS | 16, "x-gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}


async def read_body(request: Request, gateway: Gateway) -> bytes:
    """The request's body, inflated if `Content-Encoding` says that it is compressed.

    Each part of the inflated body is counted against the memory of all bodies before it is made, so a small body that
    inflates to a large one takes no more memory than a large body.

    Raises:
        UnsupportedMedia: another encoding, or several.
        MalformedBody: the body is not what the encoding says, or has something behind its end.
        BodyTooLarge: it is larger than `ATTRIBUTION_MAX_BODY_BYTES`, as sent or inflated.
        Unavailable: other bodies take the memory.
    """
    body = await request.body()
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding not in ENCODINGS:
        raise UnsupportedMedia("A body may be compressed by gzip or deflate, once.")
    return await _inflated(request, gateway, body, zlib.decompressobj(ENCODINGS[encoding]))


async def _inflated(request: Request, gateway: Gateway, body: bytes, inflater: "zlib._Decompress") -> bytes:
    most = gateway.settings.max_body_bytes
    parts: list[bytes] = []
    made, rest = 0, body
    while not inflater.eof:
        room = min(INFLATED_PART_BYTES, most + 1 - made)
        request.scope[GROW](room)
        try:
            part = await gateway.compute_sized(
                len(rest), inflater.decompress, rest, room, small_bytes=SMALL_JSON_BYTES // 16
            )
        except zlib.error:
            raise MalformedBody("The body is not compressed as Content-Encoding says.") from None
        rest, made = inflater.unconsumed_tail, made + len(part)
        parts.append(part)
        if made > most:
            raise BodyTooLarge(Sentence("A body may hold at most {most} bytes.", most=most))
        if not part and not inflater.eof:
            raise MalformedBody("The compressed body ends too early.")
    if inflater.unused_data:
        raise MalformedBody("Something follows the compressed body.")
    return b"".join(parts)
