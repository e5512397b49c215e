"""The catalogue of methods: for each method a guide in English or Spanish."""

from functools import cache
from typing import Any, Literal

from pydantic import Field

from schemas.base import Record
from schemas.methods import METHODS
from service.catalogue.schema_texts import schema_in
from service.catalogue.texts import read_texts
from service.languages import Language

Family = Literal["gradient", "perturbation", "layer", "neuron"]


class MethodGuide(Record):
    """A method described for people, with its parameters as a JSON schema."""

    name: str
    title: str
    family: Family
    family_title: str = Field(description="The family's name for people.")
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


class FamilyGuide(Record):
    """What the methods of a family have in common, as one row of the comparison table."""

    title: str
    idea: str
    uses_gradients: str
    uses_baseline: str
    cost: str
    typical_results: str
    analogy: str
    when: str
    when_not: str


class MethodCatalogue(Record):
    """The guides of all methods. `columns` are the headings of the comparison table in this language."""

    language: Language
    columns: dict[str, str]
    families: dict[Family, str] = Field(description="The families' names for people.")
    layer_attribution: FamilyGuide = Field(description="The generic row of the methods of the family `layer`.")
    methods: list[MethodGuide]


@cache
def catalogue(language: Language) -> MethodCatalogue:
    """The catalogue in one language, in the order of `schemas.methods`."""
    facts, texts = read_texts("facts"), read_texts(language)
    return MethodCatalogue(
        language=language,
        columns=texts["columns"],
        families=texts["families"],
        layer_attribution=FamilyGuide(**texts["layer_attribution"]),
        methods=[_guide(name, facts[name], texts, language) for name in METHODS],
    )


def guide_of(name: str, language: Language) -> MethodGuide | None:
    """The guide of one method; None if no method has this name."""
    return next((guide for guide in catalogue(language).methods if guide.name == name), None)


def _guide(name: str, facts: dict[str, Any], texts: dict[str, Any], language: Language) -> MethodGuide:
    own = {**facts, **texts["methods"][name]}
    own["cost"] = facts["cost"].format_map(texts["cost"])
    schema = METHODS[name].model_json_schema()
    schema.pop("description", None)  # the class's docstring; `idea` says it for people
    return MethodGuide(
        name=name, family_title=texts["families"][facts["family"]], parameters=schema_in(language, schema), **own
    )
