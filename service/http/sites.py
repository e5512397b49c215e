"""Middleware that keeps pages of other sites out: allowed hosts, requests across origins, relative redirects."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.connection_settings import ANY
from service.http.problems import http_problem, problem_response

HOST_HEADER = re.compile(r"(?P<host>\[[0-9a-f:.]{2,45}\]|[a-z0-9_.-]{1,253})(:[0-9]{1,5})?")
PROBE_PATHS = frozenset({"/healthz", "/readyz", "/v2/health/live", "/v2/health/ready"})
REDIRECTS = range(300, 400)


class AllowedHosts:
    """Refuses requests that name another host, which is how a page reaches a service by a name of its own that it
    lets resolve to this machine (DNS rebinding). 421 for another host; 400 without exactly one well-formed `Host`.

    Health checks name whatever address they use and learn no more than a status, so they pass.
    """

    def __init__(self, app: ASGIApp, hosts: Sequence[str]) -> None:
        self.app = app
        self._exact = frozenset(hosts)
        self._domains = tuple(host[1:] for host in hosts if host.startswith("*."))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in PROBE_PATHS:
            await self.app(scope, receive, send)
            return
        named = [value for name, value in scope["headers"] if name == b"host"]
        if len(named) > 1 or not (named or ANY in self._exact):
            await _refuse(HTTPStatus.BAD_REQUEST, "A request names one host.", scope, receive, send)
            return
        host = host_of(named[0].decode("latin-1")) if named else None
        if named and host is None:
            await _refuse(HTTPStatus.BAD_REQUEST, "The Host header is not a host.", scope, receive, send)
        elif ANY in self._exact or (host is not None and self._allows(host)):
            await self.app(scope, receive, send)
        else:
            detail = "This service is not reached by that host name; its operator lists the names in ATTRIBUTION_HOSTS."
            await _refuse(HTTPStatus.MISDIRECTED_REQUEST, detail, scope, receive, send)

    def _allows(self, host: str) -> bool:
        return host in self._exact or host.endswith(self._domains)


class OwnOrigin:
    """Refuses what the script or form of another site's page sends (403), as Go's `http.CrossOriginProtection` does,
    and its reads too: without it a page could fill the queue, though CORS keeps the responses from it.

    Browsers say in `Sec-Fetch-Site` whether a request comes from another site; older ones at least name the `Origin`.
    Links to the service work. Other clients send neither header.
    """

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        self.app = app
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or ANY in self._origins:
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        origin = headers.get(b"origin", b"").decode("latin-1").lower()
        if origin in self._origins or not _comes_from_another(headers, origin, scope["method"]):
            await self.app(scope, receive, send)
            return
        detail = (
            "Pages of other sites may not call this service; its operator lists origins in ATTRIBUTION_CORS_ORIGINS."
        )
        await _refuse(HTTPStatus.FORBIDDEN, detail, scope, receive, send)


class RelativeRedirects:
    """Sends redirects to paths of this service without a host: `Host` is the client's, and a proxy may change it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def relative(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in REDIRECTS:
                headers = [(name, _path(value) if name == b"location" else value) for name, value in message["headers"]]
                message = {**message, "headers": headers}
            await send(message)

        await self.app(scope, receive, relative)


def host_of(header: str) -> str | None:
    """The host in a `Host` header, lower case and without its port; None if it is malformed."""
    found = HOST_HEADER.fullmatch(header.lower())
    return found["host"].removesuffix(".") if found else None


def _comes_from_another(headers: dict[bytes, bytes], origin: str, method: str) -> bool:
    site = headers.get(b"sec-fetch-site")
    if site is not None:
        is_link = headers.get(b"sec-fetch-mode") == b"navigate" and method in {"GET", "HEAD"}
        return site not in {b"same-origin", b"none"} and not is_link
    return bool(origin) and urlsplit(origin).netloc != headers.get(b"host", b"").decode("latin-1").lower()


def _path(location: bytes) -> bytes:
    parts = urlsplit(location)
    path = b"/" + parts.path.lstrip(b"/")  # two slashes would begin a host
    return path + (b"?" + parts.query if parts.query else b"")


async def _refuse(status: HTTPStatus, detail: str, scope: Scope, receive: Receive, send: Send) -> None:
    await problem_response(http_problem(status, detail))(scope, receive, send)
