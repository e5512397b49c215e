"""`ExplainRequest`: kinds of input, short forms, defaults."""

from typing import Any

import pytest
from pydantic import ValidationError

from schemas.methods import IntegratedGradients, Saliency
from schemas.requests import ExplainRequest, FeaturesInput, ImageInput, TensorInput, TensorsInput, TextInput

TENSOR = {"shape": [1], "data": [1]}


def explain(**fields: Any) -> ExplainRequest:
    return ExplainRequest.model_validate({"model": "m", "input": {"text": "x"}, **fields})


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"image": "AAAA"}, ImageInput),
        ({"text": "x"}, TextInput),
        ({"features": {"a": 1}}, FeaturesInput),
        ({"features": [{"a": 1}, {"a": 2}]}, FeaturesInput),
        ({"tensor": TENSOR}, TensorInput),
        ({"tensors": [TENSOR, TENSOR]}, TensorsInput),
    ],
)
def test_the_key_selects_the_kind_of_input(given: dict[str, Any], kind: type) -> None:
    assert type(explain(input=given).input) is kind


@pytest.mark.parametrize("given", [{}, {"text": "x", "image": "AAAA"}, {"sentence": "x"}, "x"])
def test_exactly_one_kind_of_input(given: Any) -> None:
    with pytest.raises(ValidationError, match="exactly one of image, text, features, tensor, tensors"):
        explain(input=given)


def test_a_method_by_name() -> None:
    assert explain(method="saliency").method == Saliency()
    assert explain(method="IntegratedGradients").method == IntegratedGradients()
    assert explain(method={"name": "Integrated Gradients", "n_steps": 5}).method == IntegratedGradients(n_steps=5)
    assert explain().method is None


def test_defaults() -> None:
    request = explain()
    assert (request.version, request.target, request.seed, request.priority) == (None, None, 0, "interactive")
    assert request.quality == []


@pytest.mark.parametrize(
    "fields",
    [{"seed": -1}, {"seed": 2**32}, {"priority": "urgent"}, {"model": "../m"}, {"version": ""}, {"colour": 1}],
)
def test_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        explain(**fields)
