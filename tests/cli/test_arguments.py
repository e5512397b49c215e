"""Command-line arguments to what the client takes."""

import json
from pathlib import Path
from typing import Any

import pytest

from attribution_client import InputError
from cli.client.arguments import method_parameters, methods_of, one_input, target_of, targets_of


def test_one_input(tmp_path: Path) -> None:
    file = tmp_path / "row.json"
    file.write_text('{"age": 3}')
    assert one_input(file, None, None) == file
    assert one_input(None, "Señor", None) == {"text": "Señor"}
    assert one_input(None, None, '{"age": 3}') == {"features": {"age": 3}}
    assert one_input(None, None, str(file)) == {"features": {"age": 3}}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((None, None, None), "exactly one"),
        ((None, "a", "{}"), "exactly one"),
        ((None, None, "/nonexistent.json"), "No such file"),
        ((None, None, "{"), "not JSON"),
        ((None, None, "[" * 100_000), "not JSON"),
    ],
)
def test_what_makes_no_input(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        one_input(*arguments)


def test_method_parameters_are_json_or_words() -> None:
    given = ["strides=[3, 8, 8]", "baseline=blur", "n_steps=5", "note=" + "[" * 100_000]
    fields = method_parameters(given, layer=None, alpha=0.5)
    assert fields == {"alpha": 0.5, "strides": [3, 8, 8], "baseline": "blur", "n_steps": 5, "note": "[" * 100_000}


@pytest.mark.parametrize("parameter", ["n_steps", "=5"])
def test_a_parameter_without_key_or_value(parameter: str) -> None:
    with pytest.raises(InputError, match="key=value"):
        method_parameters([parameter])


@pytest.mark.parametrize(
    ("given", "target"), [("285", 285), ("-1", -1), ("Egyptian cat", "Egyptian cat"), ("null", "null")]
)
def test_a_target_is_an_index_or_a_label(given: str, target: object) -> None:
    assert target_of(given) == target


def test_several_targets_and_methods() -> None:
    assert target_of(json.dumps([1, "benign"])) == [1, "benign"]
    assert targets_of("tabby, tabby cat") == ["tabby, tabby cat"]
    assert targets_of('["a", null]') == ["a", None]
    assert methods_of("saliency, lime") == ["saliency", "lime"]
    assert methods_of('[{"name": "lime"}]') == [{"name": "lime"}]
