"""Command-line arguments to requests."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from cli.client.request import BadArgument, choose_model, method_fields, one_input, target_of
from schemas.models import Defaults, InputCard, InputKind, ModelCard

PNG = b"\x89PNG\r\n\x1a\n" + b"rest"


def card(name: str, kind: InputKind, *, version: str = "1", error: str | None = None) -> ModelCard:
    return ModelCard(
        name=name,
        version=version,
        status="failed" if error else "ready",
        error=error,
        input=None if error else InputCard(kind=kind, shapes=[[1]]),
        defaults=Defaults(method="occlusion", baseline="zero", shap_baseline="zero"),
    )


CARDS = [card("net", "image"), card("one", "text"), card("two", "text"), card("broken", "tabular", error="no weights")]


@pytest.mark.parametrize("content", [PNG, b"\xff\xd8\xff\xe0rest", b"RIFF\x00\x00\x00\x00WEBPrest"])
def test_a_picture_is_known_by_its_content(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "picture.dat"
    file.write_bytes(content)
    kind, given = one_input(file, None, None)
    assert kind == "image"
    assert base64.b64decode(given["image"]) == content


def test_features_are_inline_or_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "row.json"
    file.write_text('{"age": 3}')
    expected = ("tabular", {"features": {"age": 3}})
    assert one_input(None, None, '{"age": 3}') == expected
    assert one_input(None, None, str(file)) == expected
    assert one_input(file, None, None) == expected


def test_text_is_inline_or_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "line.txt"
    file.write_text("Señor\n", encoding="utf-8")
    assert one_input(None, "Señor", None) == one_input(file, None, None) == ("text", {"text": "Señor"})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((None, None, None), "exactly one"),
        ((None, "a", "{}"), "exactly one"),
        ((Path("/nonexistent.png"), None, None), "No such file"),
        ((Path(__file__), None, None), "neither a picture"),
        ((None, None, "{"), "not JSON"),
        ((None, None, "[" * 100_000), "not JSON"),
    ],
)
def test_what_makes_no_input(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(BadArgument, match=message):
        one_input(*arguments)


def test_the_only_model_of_a_kind_is_chosen() -> None:
    assert choose_model(CARDS, None, "image").name == "net"
    assert choose_model(CARDS, "two", "text").name == "two"


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        (None, "text", "several models take text input, choose one with --model: one, two"),
        (None, "tabular", "no model takes tabular input"),
        ("absent", "text", "no model 'absent'; the service has: broken, net, one, two"),
        ("broken", "tabular", "'broken' failed to load: no weights"),
    ],
)
def test_a_choice_that_cannot_be_made(name: str | None, kind: InputKind, message: str) -> None:
    with pytest.raises(BadArgument, match=message):
        choose_model(CARDS, name, kind)


def test_method_parameters_are_json_or_words() -> None:
    fields = method_fields("occlusion", ["strides=[3, 8, 8]", "baseline=blur"], CARDS[0], layer=None)
    assert fields == {"name": "occlusion", "strides": [3, 8, 8], "baseline": "blur"}


def test_parameters_alone_belong_to_the_models_own_method() -> None:
    assert method_fields(None, ["n_steps=5"], CARDS[0]) == {"name": "occlusion", "n_steps": 5}
    assert method_fields(None, [], CARDS[0], baseline=None) is None


@pytest.mark.parametrize("parameter", ["n_steps", "=5"])
def test_a_parameter_without_key_or_value(parameter: str) -> None:
    with pytest.raises(BadArgument, match="key=value"):
        method_fields("saliency", [parameter], CARDS[0])


@pytest.mark.parametrize(
    ("given", "target"), [("285", 285), ("-1", -1), ("Egyptian cat", "Egyptian cat"), ("null", "null")]
)
def test_a_target_is_an_index_or_a_label(given: str, target: object) -> None:
    assert target_of(given) == target


def test_targets_of_several_rows() -> None:
    assert target_of(json.dumps([1, "benign"])) == [1, "benign"]
