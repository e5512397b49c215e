"""Response documents that only the gateway produces; the others are in `schemas`."""

from typing import Literal

from pydantic import Field

from schemas.base import Record
from schemas.models import ModelCard


class ModelList(Record):
    """Every model that a worker has announced, by name and version."""

    models: list[ModelCard]


class Alive(Record):
    status: Literal["alive"] = "alive"


class Health(Record):
    status: Literal["ok", "ready"]
    workers: int | None = Field(default=None, description="Live workers; only in /readyz.")
