"""Response documents that only the gateway produces; the others are in `schemas`."""

from typing import Literal

from pydantic import Field

from schemas.base import Record
from schemas.models import ModelCard


class ModelList(Record):
    """Every model that workers have announced, by name and version; those that took jobs for days after."""

    models: list[ModelCard]


class Alive(Record):
    status: Literal["alive"] = "alive"


class Health(Record):
    status: Literal["ok", "ready"]
    workers: int | None = Field(default=None, description="Live workers; only in /readyz.")
    loading: int | None = Field(
        default=None,
        description="Models that are being loaded and take no jobs yet, where there are any; only in /readyz.",
        exclude_if=lambda count: not count,
    )
