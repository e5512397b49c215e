"""No request body is ever larger than the limit, declared or not."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from schemas.errors import BodyTooLarge, MalformedBody, RequestError
from service.http.problems import error_response


class BodyLimit:
    """Refuses by `Content-Length` before anything is read, and counts chunked bodies while they stream in."""

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
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if not declared.isdigit() or len(declared) > 18:
            return MalformedBody("Content-Length is not a number of bytes.")
        return self._too_large() if int(declared) > self.max_bytes else None

    def _too_large(self) -> BodyTooLarge:
        return BodyTooLarge(f"At most {self.max_bytes} bytes are accepted in a body.")
