"""What the command line's arguments mean to the client."""

import json
from pathlib import Path
from typing import Any

from attribution_client import InputError
from attribution_client.inputs.files import read_file


def one_input(file: Path | None, text: str | None, features: str | None) -> Any:
    """The input from the one of the three that is given.

    Raises:
        InputError: none or several were given, or the features are no JSON.
    """
    if sum(given is not None for given in (file, text, features)) != 1:
        raise InputError("give exactly one of FILE, --text and --features")
    if text is not None:
        return {"text": text}
    if features is not None:
        return {"features": _features(features)}
    return file


def method_parameters(written: list[str], **shortcuts: Any) -> dict[str, Any]:
    """The parameters of `key=value`, their values JSON or else plain words, and those with options of their own.

    Raises:
        InputError: a parameter is not `key=value`.
    """
    fields = {key: value for key, value in shortcuts.items() if value is not None}
    for parameter in written:
        key, equals, value = parameter.partition("=")
        if not equals or not key:
            raise InputError(f"--param {parameter}: write key=value")
        fields[key] = json_or_word(value)
    return fields


def target_of(given: str) -> Any:
    """An index, a JSON list (one target per row, or a place such as `[class, y, x]`), or a label."""
    if given.strip().lstrip("+-").isdecimal():
        return int(given)
    return json_or_word(given) if given.lstrip().startswith("[") else given


def methods_of(written: str) -> Any:
    """Names separated by commas, or a JSON list of methods with their parameters."""
    if written.lstrip().startswith("["):
        return json_or_word(written)
    return [name.strip() for name in written.split(",")]


def targets_of(written: str) -> Any:
    """A JSON list of targets, or one target: labels contain commas."""
    return json_or_word(written) if written.lstrip().startswith("[") else [target_of(written)]


def json_or_word(value: str) -> Any:
    """`50` is a number, `[3, 8, 8]` a list, `blur` a word."""
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _features(given: str) -> Any:
    inline = given.lstrip().startswith(("{", "["))
    where = "--features" if inline else given
    text = given if inline else read_file(Path(given)).decode("utf-8", "replace")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where} is not JSON: {error}") from None
