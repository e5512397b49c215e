"""The form of error documents by path, known wherever a problem is made: other protocols have forms of their own."""

import re
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from schemas.errors import Problem

# From a problem to the status and the JSON document of a protocol.
ErrorForm = Callable[[Problem], tuple[int, dict[str, Any]]]
_current: ContextVar[ErrorForm | None] = ContextVar("current_error_form", default=None)


class ErrorForms:
    """Middleware around all others, so that each of them may refuse a request in the form of its protocol."""

    def __init__(self, app: ASGIApp, forms: Sequence[tuple[re.Pattern[str], ErrorForm]]) -> None:
        """Args:
        forms: patterns of whole paths, with the form of errors there. The first that matches is used.
        """
        self.app = app
        self._forms = tuple(forms)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        token = _current.set(self._form_of(scope["path"]) if scope["type"] == "http" else None)
        try:
            await self.app(scope, receive, send)
        finally:
            _current.reset(token)

    def _form_of(self, path: str) -> ErrorForm | None:
        return next((form for pattern, form in self._forms if pattern.fullmatch(path)), None)


def asked_error_form() -> ErrorForm | None:
    """The form at the current request's path; None for a problem document, and outside a request."""
    return _current.get()
