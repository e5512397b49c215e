"""Authorization of the admin routes by the admin key."""

import hashlib
import hmac
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from schemas.errors import AdminDisabled, Unauthorized
from service.state import CurrentGateway

_BEARER = HTTPBearer(auto_error=False, description="The key of `ATTRIBUTION_ADMIN_KEY`.")


def _require_admin(
    gateway: CurrentGateway, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]
) -> None:
    """Return if the request carries the admin key.

    Raises:
        AdminDisabled: the gateway has no admin key.
        Unauthorized: the request has no key, or a wrong one.
    """
    key = gateway.settings.admin_key
    if key is None:
        raise AdminDisabled("ATTRIBUTION_ADMIN_KEY is not set on the gateway.")
    if given is None or not hmac.compare_digest(_digest(given.credentials), _digest(key.get_secret_value())):
        raise Unauthorized("Send the admin key as `Authorization: Bearer …`.")


def _digest(key: str) -> bytes:
    """sha256. Digests have equal lengths, so the comparison takes the same time for every key."""
    return hashlib.sha256(key.encode()).digest()


Admin = Depends(_require_admin)
