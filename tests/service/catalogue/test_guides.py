"""The catalogue: complete in both languages, and no word forgotten in the other one."""

from typing import Any

import pytest

from schemas.methods import METHOD_NAMES, METHODS
from service.catalogue.guides import MethodGuide, catalogue
from service.languages import LANGUAGES, Language

TEXTS = ("title", "idea", "typical_results", "analogy", "when", "when_not")
ANALOGIES = {
    "en": {
        "saliency": "instant thermometer",
        "integrated_gradients": "little by little",
        "deep_lift": "before/after",
        "gradient_shap": "SHAP on steroids",
        "layer_grad_cam": "Where the model looks",
    },
    "es": {
        "saliency": "termómetro instantáneo",
        "integrated_gradients": "poco a poco",
        "deep_lift": "antes/después",
        "gradient_shap": "SHAP con esteroides",
        "layer_grad_cam": "Dónde mira el modelo",
    },
}


def undescribed(schema: Any) -> Any:
    """A JSON schema without its descriptions."""
    if isinstance(schema, list):
        return [undescribed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: undescribed(item) for key, item in schema.items() if not (key == "description" and type(item) is str)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_method_is_told(language: Language) -> None:
    guides = {guide.name: guide for guide in catalogue(language).methods}
    assert tuple(guides) == METHOD_NAMES
    for guide in guides.values():
        assert all(getattr(guide, field).strip() for field in TEXTS)
        assert guide.parameters["properties"]
        assert (guide.family == "layer") == (METHODS[guide.name].kind == "layer")
        assert (guide.family == "neuron") == guide.name.startswith("neuron_")
        assert guide.reference_url.startswith("https://")
    for name, words in ANALOGIES[language].items():
        assert words in guides[name].analogy


@pytest.mark.parametrize("language", LANGUAGES)
def test_columns_are_fields(language: Language) -> None:
    columns = catalogue(language).columns
    assert {"idea", "uses_gradients", "uses_baseline", "cost", "typical_results", "analogy"} <= set(columns)
    assert set(columns) <= set(MethodGuide.model_fields)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_method_has_words_of_its_own(language: Language) -> None:
    guides = catalogue(language).methods
    for field in TEXTS:
        assert len({getattr(guide, field) for guide in guides}) == len(guides)


def test_a_method_with_a_baseline_says_so() -> None:
    for guide in catalogue("en").methods:
        takes_one = "baseline" in guide.parameters["properties"]
        assert guide.uses_baseline == (takes_one and guide.name != "smooth_grad")


def test_facts_are_the_same_in_both_languages() -> None:
    english, spanish = catalogue("en").methods, catalogue("es").methods
    facts = ("name", "family", "uses_gradients", "uses_baseline", "reference", "reference_url")
    for one, other in zip(english, spanish, strict=True):
        assert [getattr(one, field) for field in facts] == [getattr(other, field) for field in facts]
        assert undescribed(one.parameters) == undescribed(other.parameters)
        assert all(getattr(one, field) != getattr(other, field) for field in TEXTS if field != "title")
