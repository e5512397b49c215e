"""The language that the current request asks for, known wherever a problem document is made."""

from contextvars import ContextVar

from starlette.types import ASGIApp, Receive, Scope, Send

from service.http.negotiation import language_of
from service.languages import LANGUAGES, Language

_current: ContextVar[Scope | None] = ContextVar("current_request", default=None)


class AskedLanguage:
    """Middleware around all others, so that each of them may refuse a request in its language."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        token = _current.set(scope if scope["type"] == "http" else None)
        try:
            await self.app(scope, receive, send)
        finally:
            _current.reset(token)


def asked_language() -> Language:
    """By `?lang=`, else by `Accept-Language`; English outside a request."""
    scope = _current.get()
    if scope is None:
        return "en"
    given = scope.get("query_string", b"").decode("latin-1").split("&")
    named = next((language for language in LANGUAGES if f"lang={language}" in given), None)
    if named is not None:
        return named
    header = next((value for name, value in scope["headers"] if name == b"accept-language"), b"")
    return language_of(header.decode("latin-1"))
