"""Responses compressed by gzip, for clients that accept it. For public documents only: what a compressed response
holds of a secret beside text of an attacker can be found by its length (BREACH).
"""

import gzip
from functools import lru_cache

from fastapi import Response

from service.http.negotiation import accepts_encoding
from service.tuning import GZIP_LEVEL

CACHED_DOCUMENTS = 8  # of some 100 kB each, which take 3 ms to compress while nobody else is served
MIN_GZIP_BYTES = 1_024  # shorter bodies fit one packet either way


@lru_cache(CACHED_DOCUMENTS)  # the catalogue and the models' cards are asked for again and again, and change rarely
def gzipped(body: bytes) -> bytes | None:
    """The body compressed, the same bytes each time; None if that makes it no smaller."""
    compressed = gzip.compress(body, GZIP_LEVEL, mtime=0)
    return compressed if len(compressed) < len(body) else None


def compressed_response(response: Response, accept_encoding: str | None) -> Response:
    """The response with its body compressed if it is large and the client accepts that. CPU work: 3 ms for 100 kB."""
    vary = response.headers.get("Vary")
    response.headers["Vary"] = f"{vary}, Accept-Encoding" if vary else "Accept-Encoding"
    body = bytes(response.body)
    if len(body) < MIN_GZIP_BYTES or not accepts_encoding(accept_encoding, "gzip"):
        return response
    compressed = gzipped(body)
    if compressed is not None:
        response.body = compressed
        response.headers["Content-Encoding"] = "gzip"
        response.headers["Content-Length"] = str(len(compressed))
    return response
