"""Middleware that bounds the size of every request body, whether it declares its length or not."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from schemas.errors import BodyTooLarge, MalformedBody, RequestError
from schemas.sentences import Sentence
from service.http.problems import error_response

MAX_LENGTH_DIGITS = 18  # of a Content-Length: far beyond any limit, and still a quick conversion


class BodyLimit:
    """Checks `Content-Length` before the body is read, and counts the bytes of chunked bodies as they arrive."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        refusal = self._declared_refusal(scope)
        if refusal is not None:
            await error_response(refusal)(scope, receive, send)
            return
        received_bytes = 0

        async def limited() -> Message:
            nonlocal received_bytes
            message = await receive()
            received_bytes += len(message.get("body", b""))
            if received_bytes > self.max_bytes:
                raise self._too_large()
            return message

        await self.app(scope, limited, send)

    def _declared_refusal(self, scope: Scope) -> RequestError | None:
        """The error for a `Content-Length` that is malformed or too large."""
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if not declared.isdigit() or len(declared) > MAX_LENGTH_DIGITS:
            return MalformedBody("Content-Length is not a number of bytes.")
        return self._too_large() if int(declared) > self.max_bytes else None

    def _too_large(self) -> BodyTooLarge:
        return BodyTooLarge(Sentence("A body may hold at most {most} bytes.", most=self.max_bytes))
