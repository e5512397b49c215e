"""An HTTP session for a receiver of spans that is not trusted: of its responses only a bounded part is read."""

from typing import Any

import requests

MAX_RESPONSE_BYTES = 65_536  # the exporter needs the status and `Retry-After`; OTLP's own response has some bytes


class BoundedSession(requests.Session):
    """Follows no redirect, because an operator has set where spans go, and reads no endless response."""

    def request(self, method: Any, url: Any, *arguments: Any, **options: Any) -> requests.Response:
        response = super().request(method, url, *arguments, **{**options, "stream": True, "allow_redirects": False})
        read = response.raw.read(MAX_RESPONSE_BYTES, decode_content=False)
        if len(read) == MAX_RESPONSE_BYTES:
            response.close()  # what follows is not read; the connection is not used again
        return response
