"""The words of the catalogue: complete, of equal structure in both languages, and readable on their own."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from schemas.methods import METHODS
from service.catalogue.guides import FamilyGuide, MethodGuide, catalogue
from service.catalogue.schema_texts import schema_in
from service.catalogue.texts import read_texts
from service.languages import LANGUAGES, Language

TEXTS = ("title", "idea", "typical_results", "analogy", "when", "when_not")
CODE = re.compile(r"`[^`]*`|\{[^}]*\}|https?://\S+|\b[a-z]+_[a-z_]+\b|\"[^\"]*\"")
LEANS_ON_ANOTHER = re.compile(
    r"(the same\b|as (above|before)\b|like (the )?\w+ (ablation|above)\b|lo mismo\b|el mismo\b|la misma\b|igual que\b"
    r"|como (el|la|los|las)\b|ídem\b|ditto\b)",
    re.IGNORECASE,
)
OTHER_WORDS_FOR_VARIABLES = re.compile(r"\b(atributos?|características?|rasgos?|features?)\b", re.IGNORECASE)
NUMBERS = {"two": 2, "three": 3, "four": 4, "dos": 2, "tres": 3, "cuatro": 4}


def guides(language: Language) -> list[MethodGuide]:
    return catalogue(language).methods


def strings(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a file, with its place."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from strings(item, f"{place}.{key}")
    elif isinstance(value, str):
        yield place, value


def descriptions(schema: Any) -> Iterator[str]:
    if isinstance(schema, list):
        for item in schema:
            yield from descriptions(item)
    elif isinstance(schema, dict):
        for key, item in schema.items():
            if key == "description" and isinstance(item, str):
                yield item
            else:
                yield from descriptions(item)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_parameter_is_described(language: Language, name: str) -> None:
    guide = next(guide for guide in guides(language) if guide.name == name)
    assert list(guide.parameters["properties"]) == list(METHODS[name].model_fields)
    for field in guide.parameters["properties"].values():
        assert field["description"].strip()[-1] in ".)"


def test_a_description_without_its_spanish_is_found() -> None:
    with pytest.raises(KeyError, match="Nobody has translated this"):
        schema_in("es", {"properties": {"new": {"description": "Nobody has translated this."}}})


def test_every_description_is_translated_and_none_is_left_over() -> None:
    table = {text["en"]: text["es"] for text in read_texts("parameters.es")["text"]}
    assert len(table) == len(read_texts("parameters.es")["text"])
    used = {text for guide in guides("en") for text in descriptions(guide.parameters)}
    assert used == set(table)
    assert all(english != spanish for english, spanish in table.items())


def test_descriptions_name_the_same_things_in_both_languages() -> None:
    for text in read_texts("parameters.es")["text"]:
        marked = [re.findall(r"`[a-z_]+`", text[language]) for language in LANGUAGES]
        assert sorted(marked[0]) == sorted(marked[1]), text["en"]


def test_both_files_have_the_same_texts_with_the_same_names_in_them() -> None:
    english, spanish = (dict(strings(read_texts(language))) for language in LANGUAGES)
    assert list(english) == list(spanish)
    for place, text in english.items():
        assert sorted(CODE.findall(text)) == sorted(CODE.findall(spanish[place])), place


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_can_be_read_alone(language: Language) -> None:
    """`/methods/{name}` shows one method: nothing before it that "the same" could mean."""
    for guide in guides(language):
        for field in TEXTS:
            assert not LEANS_ON_ANOTHER.match(getattr(guide, field)), (guide.name, field)


@pytest.mark.parametrize(
    "text",
    ["The same fair division", "El mismo reparto", "Lo mismo que antes", "Igual que X", "Like layer ablation, when"],
)
def test_a_text_that_leans_on_another_is_found(text: str) -> None:
    assert LEANS_ON_ANOTHER.match(text)


def test_spanish_has_one_word_for_features() -> None:
    files = (read_texts("es"), {str(i): text["es"] for i, text in enumerate(read_texts("parameters.es")["text"])})
    for file in files:
        for place, text in strings(file):
            assert not OTHER_WORDS_FOR_VARIABLES.search(CODE.sub("", text)), (place, text)


def test_spanish_does_not_say_for_example_where_it_means_each_example() -> None:
    for place, text in strings(read_texts("es")):
        assert not re.search(r"por ejemplo\)|por ejemplo$|filas[^,.;]* por ejemplo", text), place
    assert "por cada ejemplo" in catalogue("es").columns["cost"]


def test_costs_and_families_are_translated() -> None:
    english, spanish = catalogue("en"), catalogue("es")
    assert english.families.keys() == spanish.families.keys() == {guide.family for guide in english.methods}
    assert all(english.families[name] != spanish.families[name] for name in english.families)
    for one, other in zip(english.methods, spanish.methods, strict=True):
        assert (one.family_title, other.family_title) == (english.families[one.family], spanish.families[one.family])
        assert "{" not in one.cost + other.cost
        assert not re.search(r"\b(windows|features|units|baselines|mostly|around)\b", other.cost)
        words = {word for word in re.findall(r"[^\W\d]+", one.cost) if "_" not in word} - {"x"}
        assert one.cost != other.cost or words <= {"auto", "n", "steps", "samples", "nt"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_numbers_of_rows_in_words_are_those_of_the_cost(language: Language) -> None:
    """DeepLIFT's texts spoke of two rows, and its cost of four."""
    said = 0
    for guide in guides(language):
        for field in TEXTS:
            for word in re.findall(r"\b(\w+) (?:rows|filas)\b", getattr(guide, field)):
                if word.lower() in NUMBERS:
                    said += 1
                    assert guide.cost.split()[0] == str(NUMBERS[word.lower()]), (guide.name, field)
    assert said >= 5


@pytest.mark.parametrize("language", LANGUAGES)
def test_kernel_shap_is_not_praised_for_what_it_is_blamed_for(language: Language) -> None:
    """Its cost does not depend on the number of features; how good the result is does. Both texts say so."""
    guide = next(guide for guide in guides(language) if guide.name == "kernel_shap")
    assert "n_samples" in guide.when
    assert "n_samples" in guide.when_not
    assert not re.search(r"whatever the number|sea cual sea", guide.when)


@pytest.mark.parametrize("language", LANGUAGES)
def test_layer_attribution_has_a_row_of_its_own(language: Language) -> None:
    row = catalogue(language).layer_attribution
    assert all(getattr(row, field).strip() for field in FamilyGuide.model_fields)
    assert {"en": "Where the model looks", "es": "Dónde mira el modelo"}[language] in row.analogy
