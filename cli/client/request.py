"""Builds the body of `POST /explain` from command-line arguments."""

import base64
import json
from pathlib import Path
from typing import Any

from schemas.limits import MAX_IMAGE_BYTES, MAX_TEXT_CHARS
from schemas.models import InputKind, ModelCard

PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")  # and WebP, below
MAX_FILE_BYTES = MAX_IMAGE_BYTES


class BadArgument(Exception):
    """The arguments give no valid request. The message is for the user."""


def one_input(file: Path | None, text: str | None, features: str | None) -> tuple[InputKind, dict[str, Any]]:
    """The kind of input and the request's `input`, from the one of the three that is given.

    Raises:
        BadArgument: none or several were given, or the file cannot be used.
    """
    if sum(given is not None for given in (file, text, features)) != 1:
        raise BadArgument("give exactly one of FILE, --text and --features")
    if text is not None:
        return "text", {"text": text}
    if features is not None:
        return "tabular", {"features": _features(features)}
    assert file is not None  # noqa: S101  # exactly one of the three is given
    content = _read(file)
    if _is_picture(content):
        return "image", {"image": base64.b64encode(content).decode()}
    if file.suffix == ".json":
        return "tabular", {"features": _json(content.decode("utf-8", "replace"), str(file))}
    if file.suffix == ".txt":
        return "text", {"text": content.decode("utf-8", "replace").strip()[: MAX_TEXT_CHARS + 1]}
    raise BadArgument(f"{file} is neither a picture (PNG, JPEG, WebP), nor .json with features, nor .txt")


def choose_model(cards: list[ModelCard], name: str | None, kind: InputKind) -> ModelCard:
    """The named model, or the only one that takes this kind of input.

    Raises:
        BadArgument: there is no such model, or several fit.
    """
    served = ", ".join(sorted({card.name for card in cards})) or "none"
    if name is not None:
        named = [card for card in cards if card.name == name]
        ready = [card for card in named if card.status == "ready"]
        if ready:
            return ready[-1]
        if named:
            raise BadArgument(f"model {name!r} failed to load: {named[0].error}")
        raise BadArgument(f"no model {name!r}; the service has: {served}")
    fitting = [card for card in cards if card.status == "ready" and card.input and card.input.kind == kind]
    names = sorted({card.name for card in fitting})
    if len(names) == 1:
        return fitting[-1]
    if not names:
        raise BadArgument(f"no model takes {kind} input; the service has: {served}")
    raise BadArgument(f"several models take {kind} input, choose one with --model: {', '.join(names)}")


def method_fields(name: str | None, parameters: list[str], card: ModelCard, **shortcuts: Any) -> dict[str, Any] | None:
    """The request's `method`: `key=value` parameters, their values JSON or else plain words.

    Raises:
        BadArgument: a parameter is not `key=value`.
    """
    fields = {key: value for key, value in shortcuts.items() if value is not None}
    for parameter in parameters:
        key, equals, value = parameter.partition("=")
        if not equals or not key:
            raise BadArgument(f"--param {parameter}: write key=value")
        fields[key] = json_or_word(value)
    if name is None and not fields:
        return None
    default = card.defaults.method if card.defaults else None
    return {"name": name or default, **fields}


def target_of(given: str) -> Any:
    """An index, a JSON list (one target per row, or a place such as `[class, y, x]`), or a label."""
    if given.strip().lstrip("+-").isdecimal():
        return int(given)
    return json_or_word(given) if given.lstrip().startswith("[") else given


def json_or_word(value: str) -> Any:
    """`50` is a number, `[3, 8, 8]` a list, `blur` a word."""
    try:
        return json.loads(value)
    except ValueError:
        return value


def _features(given: str) -> Any:
    if given.lstrip().startswith(("{", "[")):
        return _json(given, "--features")
    return _json(_read(Path(given)).decode("utf-8", "replace"), given)


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadArgument(f"{where} is not JSON: {error}") from None


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise BadArgument(f"{file}: {error.strerror}") from None
    if len(content) > MAX_FILE_BYTES:
        raise BadArgument(f"{file} is larger than {MAX_FILE_BYTES // 2**20} MiB")
    return content


def _is_picture(content: bytes) -> bool:
    return content.startswith(PICTURES) or (content[:4] == b"RIFF" and content[8:12] == b"WEBP")
