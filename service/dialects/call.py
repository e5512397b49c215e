"""What the translation of one request needs of the gateway, and the model that it names."""

import re
from dataclasses import dataclass
from typing import Any

from fastapi import Request

from schemas.errors import InvalidRequest, ModelNotFound
from schemas.models import ModelCard
from service.http.authorization import Caller
from service.http.responses import root_path
from service.state import Gateway
from service.validation.document.body import parse_json

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")


@dataclass(frozen=True, slots=True)
class Call:
    """One request of a dialect. `body_bytes` is the size of its body, inflated; `wait_s` is its dialect's wait."""

    request: Request
    gateway: Gateway
    caller: Caller
    wait_s: float
    body_bytes: int = 0

    @property
    def limited_wait_s(self) -> float:
        """The wait, within that of the gateway."""
        return min(self.wait_s, self.gateway.settings.max_wait_s)

    def job_path(self, job_id: str) -> str:
        """The path of a job, under that of the proxy."""
        return f"{root_path(self.request)}/jobs/{job_id}"


async def find_model(gateway: Gateway, name: str, version: str | None = None, suffix: str = "") -> ModelCard:
    """The card of the model of this name, or of the name without the suffix that a dialect gives its explainers.

    Raises:
        ModelNotFound, ModelUnavailable, StoreUnavailable: as `find_card`; and for what no model can be called.
    """
    if not NAME.fullmatch(name) or (version is not None and not VERSION.fullmatch(version)):
        raise ModelNotFound("no such model: a name has letters, digits, dots, hyphens and underscores")
    try:
        return await gateway.cards.find(gateway.store, name, version)
    except ModelNotFound:
        shorter = name.removesuffix(suffix) if suffix else name
        if not shorter or shorter == name:
            raise
    return await gateway.cards.find(gateway.store, shorter, version)


def parsed_object(body: bytes) -> dict[str, Any]:
    """The JSON object of a body. Its values are checked when they have been translated.

    Raises:
        MalformedBody: the body is not JSON, or is nested too deep.
        InvalidRequest: it is no object.
    """
    document = parse_json(body)
    if not isinstance(document, dict):
        raise InvalidRequest("The body must be a JSON object.")
    return document
