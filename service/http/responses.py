"""Answers as JSON responses, without a detour through Python objects, and those that belong to the gateway alone."""

from typing import Any, Literal

from fastapi import Response
from pydantic import BaseModel, Field

from schemas.base import Record
from schemas.models import ModelCard


class ModelList(Record):
    """Every model that a worker has announced, by name and version."""

    models: list[ModelCard]


class Health(Record):
    status: Literal["ok", "ready"]
    workers: int | None = Field(default=None, description="Live workers; only in /readyz.")


class MethodGuide(Record):
    """A method for people, and its parameters for programs."""

    name: str
    title: str
    family: Literal["gradient", "perturbation", "layer", "neuron"]
    idea: str
    uses_gradients: bool
    uses_baseline: bool
    cost: str = Field(description="Model rows for one example: a formula in the parameters and in counts.")
    typical_results: str
    analogy: str
    when: str = Field(description="When to use it.")
    when_not: str = Field(description="When another method serves better.")
    reference: str
    reference_url: str
    parameters: dict[str, Any] = Field(description="JSON schema of the `method` object of a request.")


class MethodCatalogue(Record):
    """The comparison of all methods. `columns` are the headings of the comparison table in this language."""

    language: Literal["en", "es"]
    columns: dict[str, str]
    methods: list[MethodGuide]


def json_response(answer: BaseModel, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A record as JSON."""
    return Response(answer.model_dump_json(), status_code=status, media_type="application/json", headers=headers)
