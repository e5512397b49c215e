"""Authorization by API keys: which key a request carries, and whether its scopes allow the route.

On a service without keys every route but the admin routes is open, and what is made there belongs to nobody.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, NamedTuple

import structlog
from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from broker import KeyLimits
from schemas.errors import AdminDisabled, ScopeMissing, Unauthorized
from schemas.sentences import Sentence, either
from service.api_keys import Scope
from service.state import CurrentGateway

_BEARER = HTTPBearer(auto_error=False, description="An API key, on a service that has keys.")
_Given = Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]


class Caller(NamedTuple):
    """Who sends a request: the owner of what it makes, the limits of its key, and whether it is an operator's."""

    owner: str = ""
    limits: KeyLimits = KeyLimits()
    administers: bool = False


def _allowed(*scopes: Scope) -> Callable[..., Awaitable[Caller]]:
    """A dependency that returns the caller if its key has one of the scopes.

    Raises:
        Unauthorized: the request has no key, or an unknown one.
        ScopeMissing: the key has none of the scopes.
        AdminDisabled: an admin route of a service without keys.
    """

    async def caller(gateway: CurrentGateway, given: _Given) -> Caller:
        if gateway.keys.is_open:
            if scopes == ("admin",):
                raise AdminDisabled("ATTRIBUTION_KEYS is not set on the gateway.")
            return Caller()
        key = gateway.keys.find(given.credentials) if given is not None else None
        if key is None:
            raise Unauthorized("Send an API key as `Authorization: Bearer …`.")
        structlog.contextvars.bind_contextvars(key=key.name)
        if not set(scopes) & set(key.scopes):
            raise ScopeMissing(
                Sentence("The key {key} needs the scope {scopes}.", key=key.name, scopes=either(*scopes))
            )
        return Caller(key.name, KeyLimits(key.rows_per_minute, key.queued_rows), "admin" in key.scopes)

    return caller


may_explain = _allowed("explain")
ExplainCaller = Annotated[Caller, Depends(may_explain)]
MayExplain = Depends(may_explain)
MayAdminister = Depends(_allowed("admin"))
MonitorCaller = Annotated[Caller, Depends(_allowed("explain", "admin"))]
MayReadModels = Depends(_allowed("explain", "admin"))
MayReadMetrics = Depends(_allowed("metrics"))
