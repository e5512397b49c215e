"""The bodies of requests, and the choice of a model."""

from typing import Any

import pytest

from attribution_client.core.requests import choose_model, explain_body, method_field
from attribution_client.errors import InputError
from attribution_client.wire.answers import Defaults, InputCard, ModelCard


def card(name: str, kind: Any, status: Any = "ready", default: str | None = "occlusion") -> ModelCard:
    defaults = Defaults(default, "zero", "zero") if default else None
    return ModelCard(name, "1", status, input=InputCard(kind, [[1]]), defaults=defaults)


CARDS = [card("net", "image"), card("one", "text"), card("two", "text"), card("broken", "tabular", "failed")]


def test_the_only_model_of_a_kind_is_chosen() -> None:
    assert choose_model(CARDS, "image").name == "net"


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("text", "several models take text input, choose one: one, two"),
        ("tabular", "no model takes tabular input; the service has: broken, net, one, two"),
    ],
)
def test_a_choice_that_cannot_be_made(kind: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        choose_model(CARDS, kind)


@pytest.mark.parametrize(
    ("method", "parameters", "field"),
    [
        (None, {}, None),
        (None, {"baseline": None}, None),
        ({}, {}, None),
        ("saliency", {}, "saliency"),
        ("saliency", {"abs": False}, {"name": "saliency", "abs": False}),
        (None, {"n_steps": 5}, {"name": "occlusion", "n_steps": 5}),
        ({"n_steps": 5}, {}, {"name": "occlusion", "n_steps": 5}),
        ({"name": "lime", "n_samples": 5}, {"n_samples": 6}, {"name": "lime", "n_samples": 6}),
    ],
)
def test_the_method_of_a_request(method: Any, parameters: dict[str, Any], field: Any) -> None:
    assert method_field(method, parameters, CARDS[0]) == field


def test_parameters_without_any_method() -> None:
    with pytest.raises(InputError, match="name the method that n_steps belong to"):
        method_field(None, {"n_steps": 5}, card("bare", "image", default=None))


def test_what_is_absent_is_left_to_the_service() -> None:
    absent: dict[str, Any] = dict.fromkeys(["version", "method", "target", "quality", "seed", "priority"])
    assert explain_body(CARDS[0], {"image": "…"}, parameters={}, **absent) == {"model": "net", "input": {"image": "…"}}
