"""Middleware that bounds every request body, whether it declares its length or not, and all of them together."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from schemas.errors import BodyTooLarge, MalformedBody, RequestError
from schemas.sentences import Sentence
from service.http.bodies import Bodies
from service.http.problems import error_response

GROW = "attribution.grow_body"  # in the scope: counts bytes into which a body is inflated; raises `Unavailable`
MAX_LENGTH_DIGITS = 18  # of a Content-Length: far beyond any limit, and still a quick conversion


class BodyLimit:
    """Checks `Content-Length` before the body is read, and counts the bytes of all bodies as they arrive.

    A route that inflates its body counts the inflated bytes through `scope[GROW]`, before it makes them.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, max_total_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self._bodies = Bodies(max(max_bytes, max_total_bytes))  # else the largest allowed body would never pass

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        refusal = self._declared_refusal(scope)
        if refusal is not None:
            await error_response(refusal)(scope, receive, send)
            return
        received_bytes = 0
        has_started = False

        async def limited() -> Message:
            nonlocal received_bytes
            message = await body.receive(receive)
            received_bytes += len(message.get("body", b""))
            if has_started:  # too late to refuse: what comes now is not kept, and the server bounds it
                return {**message, "body": b""} if message["type"] == "http.request" else message
            if received_bytes > self.max_bytes:
                raise self._too_large()
            is_complete = not message.get("more_body", False)
            self._bodies.grow(body, len(message.get("body", b"")), is_complete=is_complete)
            return message

        async def noted(message: Message) -> None:
            nonlocal has_started
            has_started = True
            await send(message)

        with self._bodies.hold() as body:
            scope[GROW] = lambda count: self._bodies.grow(body, count, is_complete=True)
            await self.app(scope, limited, noted)

    def _declared_refusal(self, scope: Scope) -> RequestError | None:
        """The error for a `Content-Length` that is malformed or too large."""
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if not declared.isdigit() or len(declared) > MAX_LENGTH_DIGITS:
            return MalformedBody("Content-Length is not a number of bytes.")
        return self._too_large() if int(declared) > self.max_bytes else None

    def _too_large(self) -> BodyTooLarge:
        return BodyTooLarge(Sentence("A body may hold at most {most} bytes.", most=self.max_bytes))
