"""A client that leaves while its response is sent is no defect of the service."""

import anyio
import structlog
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from service.http.access_log import AccessLog
from service.monitoring.http_metrics import CLIENT_LEFT, HttpMetrics

SCOPE: Scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
CLOSED = "unable to perform operation on <TCPTransport closed=True>; the handler is closed"


async def responds(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("here")(scope, receive, send)


async def nothing_more() -> Message:
    return {"type": "http.disconnect"}


def logged(message: str) -> list[dict[str, object]]:
    """The log lines of a request to whose response the server's `send` raises RuntimeError."""

    async def send(_: Message) -> None:
        raise RuntimeError(message)

    async def request() -> None:
        await AccessLog(responds, HttpMetrics())(SCOPE, nothing_more, send)

    with structlog.testing.capture_logs() as lines:
        anyio.run(request)
    return [dict(line) for line in lines]


def test_a_closed_connection_is_the_clients_end() -> None:
    (line,) = logged(CLOSED)
    assert (line["event"], line["status"]) == ("request", CLIENT_LEFT)


def test_any_other_error_of_sending_is_still_a_defect() -> None:
    assert [line["event"] for line in logged("Response content is too long")] == ["defect", "request"]
