"""Who may change what is served: whoever shows the admin key."""

import hashlib
import hmac
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from schemas.errors import AdminDisabled, Unauthorized
from service.state import CurrentGateway

_BEARER = HTTPBearer(auto_error=False, description="The key of `ATTRIBUTION_ADMIN_KEY`.")


def _admin(gateway: CurrentGateway, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]) -> None:
    """Lets the request pass.

    Raises:
        AdminDisabled: the gateway has no key.
        Unauthorized: the request has none, or another one.
    """
    key = gateway.settings.admin_key
    if key is None:
        raise AdminDisabled("ATTRIBUTION_ADMIN_KEY is not set on the gateway.")
    if given is None or not hmac.compare_digest(_digest(given.credentials), _digest(key.get_secret_value())):
        raise Unauthorized("Send the admin key as `Authorization: Bearer …`.")


def _digest(key: str) -> bytes:
    """Of equal length for all keys, so that the comparison takes the same time for each."""
    return hashlib.sha256(key.encode()).digest()


Admin = Depends(_admin)
