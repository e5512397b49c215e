"""What both drivers share: how a call becomes a request of httpx, and how errors of httpx become a flow's."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any

import httpx

from attribution_client.connection import Connection
from attribution_client.core.steps import Call, Reply, TransportFailure
from attribution_client.errors import BadAnswer

CONNECT_TIMEOUT_S = 5.0
MAX_ANSWER_BYTES = 2**30
MAX_ERROR_BYTES = 2**20


def client_options(connection: Connection) -> dict[str, Any]:
    """The options of an httpx client. It follows no redirect, so the key goes to no other address."""
    return {
        "base_url": connection.url,
        "headers": {"User-Agent": f"attribution-client/{_version()}", **connection.headers},
        "trust_env": connection.uses_proxies,
        "follow_redirects": False,
    }


def request_options(call: Call) -> dict[str, Any]:
    """The arguments of `httpx.Client.build_request`."""
    timeout = httpx.Timeout(call.timeout_s, connect=min(CONNECT_TIMEOUT_S, call.timeout_s), pool=None)
    options = {
        "method": call.method,
        "url": call.path,
        "params": dict(call.params),
        "headers": {"Accept": call.accept, **call.headers},
        "timeout": timeout,
    }
    return options if call.json is None else {**options, "json": call.json}


def failure_of(error: httpx.TransportError, url: str) -> TransportFailure:
    """The flow's error for one of httpx."""
    reason = str(error) or type(error).__name__
    return TransportFailure(
        f"no service answers at {url}: {reason}",
        unsent=isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)),
        timed_out=isinstance(error, httpx.ReadTimeout),
    )


def reply_of(response: httpx.Response, content: bytes) -> Reply:
    """The flow's answer from one of httpx."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Reply(response.status_code, headers, content)


class Body:
    """Collects the chunks of an answer, up to a limit."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._size = 0
        self._chunks: list[bytes] = []

    def add(self, chunk: bytes) -> None:
        """Takes one more chunk. Raises `BadAnswer` where the answer is larger than the limit."""
        self._size += len(chunk)
        if self._size > self._limit_bytes:
            raise BadAnswer(f"the answer is larger than {self._limit_bytes} bytes")
        self._chunks.append(chunk)

    @property
    def content(self) -> bytes:
        """All that was added."""
        return b"".join(self._chunks)


def _version() -> str:
    try:
        return version("attribution-client")
    except PackageNotFoundError:  # run from its folder
        return "0"
