"""The catalogue of methods: for each method a guide in English or Spanish."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from pydantic import Field

from schemas.base import Record
from schemas.methods import METHODS
from service.languages import Language


class MethodGuide(Record):
    """A method described for people, with its parameters as a JSON schema."""

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
    """The guides of all methods. `columns` are the headings of the comparison table in this language."""

    language: Language
    columns: dict[str, str]
    methods: list[MethodGuide]


@cache
def catalogue(language: Language) -> MethodCatalogue:
    """The catalogue in one language, in the order of `schemas.methods`."""
    facts, texts = _read("facts"), _read(language)
    guides = [
        MethodGuide(name=name, **facts[name], **texts["methods"][name], parameters=cls.model_json_schema())
        for name, cls in METHODS.items()
    ]
    return MethodCatalogue(language=language, columns=texts["columns"], methods=guides)


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((files("service.catalogue") / f"{name}.toml").read_text(encoding="utf-8"))
