"""Converts a `multipart/form-data` body of `POST /compare` to the document that a JSON body would hold.

curl -F image=@cat.jpg -F models=efficientnet-lite0 -F methods=saliency -F methods=layer_grad_cam …/compare
"""

from typing import Any

from schemas.errors import InvalidRequest
from schemas.requests import INPUT_KEYS
from service.http.form import Part, input_of, parsed_json, target_of, text_of
from service.validation.document.field_errors import short
from service.validation.document.suggest import unknown_field

LISTS = ("models", "methods", "targets")  # a field of these may be repeated, one value each
SINGLE = ("seed", "priority", *INPUT_KEYS)
FIELDS = (*LISTS, *SINGLE)


def compare_document(parts: list[Part]) -> dict[str, Any]:
    """The document that the parts of a form describe. CPU work: run it in a thread.

    Raises:
        InvalidRequest: a field is unknown, wrongly repeated, or not valid JSON where JSON is required; names it.
    """
    document: dict[str, Any] = {"input": {}}
    for name, value in parts:
        if name in LISTS:
            document.setdefault(name, []).extend(_items(name, text_of(name, value)))
            continue
        if name not in SINGLE:
            raise InvalidRequest.at(short([name]), unknown_field(name, FIELDS))
        place, content = (document["input"], input_of) if name in INPUT_KEYS else (document, text_of)
        if name in place:
            raise InvalidRequest.at([name], "given twice; give it once")
        place[name] = content(name, value)
    return document


def _items(name: str, text: str) -> list[Any]:
    """The values of one field: a JSON list; or a JSON object; or names with commas between them; or one target.

    A label of a class may hold commas, and null is the predicted class.
    """
    stripped = text.strip()
    if stripped.startswith("["):
        listed: list[Any] = parsed_json([name], stripped)
        return listed
    if name == "targets":
        return [None if stripped == "null" else target_of(text)]
    if stripped.startswith("{"):
        return [parsed_json([name], stripped)]
    return [one.strip() for one in text.split(",")]
