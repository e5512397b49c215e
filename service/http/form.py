"""`multipart/form-data` as the document that a JSON body would hold, so that curl is enough.

curl -F image=@cat.jpg -F model=efficientnet-lite0 -F method=integrated_gradients -F n_steps=20 …/explain
"""

import re
from base64 import b64encode
from typing import Any

from fastapi import Request
from pydantic_core import from_json
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from schemas.errors import InvalidRequest, MalformedBody
from schemas.methods import METHODS
from schemas.requests import INPUT_KEYS
from service.validation.document.suggest import unknown_field
from service.validation.document.field_errors import short

MAX_FILES = 4
MAX_FIELDS = 40
MAX_FIELD_BYTES = 4 * 1024 * 1024  # of a part that is no file, such as a baseline tensor
REQUEST_FIELDS = ("model", "version", "seed", "priority")
JSON_INPUTS = frozenset({"features", "tensor", "tensors"})
# `name` is the field `method` here; integrated gradients' quadrature `method` needs the JSON form of it.
PARAMETERS = frozenset(field for cls in METHODS.values() for field in cls.model_fields) - {"name", "method"}
PLAIN_PARAMETERS = frozenset({"layer"})  # text even where it looks like a number
FIELDS = (*REQUEST_FIELDS, "method", "target", "quality", *INPUT_KEYS, *sorted(PARAMETERS))
INDEX = re.compile(r"^\s*[+-]?[0-9]{1,12}\s*$")


async def read_form(request: Request) -> dict[str, Any]:
    """The form's fields as the document of `ExplainRequest`.

    Raises:
        MalformedBody: not multipart, or too many or too large parts.
        InvalidRequest: a field is unknown, repeated, or not the JSON it should be; it is named.
    """
    try:
        form = await request.form(max_files=MAX_FILES, max_fields=MAX_FIELDS, max_part_size=MAX_FIELD_BYTES)
    except HTTPException as error:
        raise MalformedBody(f"The form could not be read: {error.detail}") from None
    try:
        values: dict[str, str | bytes] = {}
        for name, part in form.multi_items():
            if name in values:
                raise InvalidRequest.at(short([name]), "given twice")
            values[name] = await part.read() if isinstance(part, UploadFile) else part
    finally:
        await form.close()
    return form_document(values)


def form_document(values: dict[str, str | bytes]) -> dict[str, Any]:
    """The document that the fields describe. Files are bytes, other parts text.

    Raises:
        InvalidRequest: see `read_form`.
    """
    unknown = next((name for name in values if name not in FIELDS), None)
    if unknown is not None:
        raise InvalidRequest.at(short([unknown]), _unknown(unknown))
    document: dict[str, Any] = {name: _text(name, values[name]) for name in REQUEST_FIELDS if name in values}
    document["input"] = {name: _input(name, values[name]) for name in INPUT_KEYS if name in values}
    if "target" in values:
        document["target"] = _target(_text("target", values["target"]))
    if "quality" in values:
        document["quality"] = _quality(_text("quality", values["quality"]))
    parameters = {name: _parameter(name, _text(name, values[name])) for name in PARAMETERS if name in values}
    if "method" in values:
        document["method"] = _method(_text("method", values["method"]), parameters)
    elif parameters:
        raise InvalidRequest.at([min(parameters)], "parameters need the field method beside them")
    return document


def _unknown(name: str) -> str:
    if name in ("input", "inputs"):
        return f"unknown field; in a form each of {', '.join(INPUT_KEYS)} is a field of its own"
    return unknown_field(name, FIELDS)


def _input(name: str, value: str | bytes) -> Any:
    if name == "image":
        if isinstance(value, str) and value.startswith("data:"):
            return value
        if isinstance(value, str):
            raise InvalidRequest.at(["input", "image"], "send the picture as a file part, such as -F image=@cat.jpg")
        return b64encode(value).decode("ascii")
    text = _text(name, value)
    return _json(["input", name], text) if name in JSON_INPUTS else text


def _method(text: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """A name or a JSON object, joined with the parameters that came as fields of their own."""
    method = _json(["method"], text) if text.lstrip().startswith("{") else {"name": text.strip()}
    twice = next((name for name in parameters if name in method), None)
    if twice is not None:
        raise InvalidRequest.at(["method", twice], "given both as a field and inside method")
    return {**method, **parameters}


def _parameter(name: str, text: str) -> Any:
    """JSON where it is JSON (numbers, lists, objects, true), else the text itself."""
    if name in PLAIN_PARAMETERS:
        return text
    try:
        return from_json(text)
    except ValueError:
        return text


def _target(text: str) -> Any:
    """An index, a JSON list of targets, or a label."""
    if INDEX.match(text):
        return int(text)
    return _parameter("target", text) if text.lstrip().startswith("[") else text


def _quality(text: str) -> Any:
    """A JSON list of metrics, or their names with commas between."""
    if text.lstrip().startswith(("[", "{")):
        return _json(["quality"], text)
    return [name.strip() for name in text.split(",")]


def _json(loc: list[str | int], text: str) -> Any:
    try:
        return from_json(text)
    except ValueError as error:
        raise InvalidRequest.at(loc, f"not JSON: {error}") from None


def _text(name: str, value: str | bytes) -> str:
    if isinstance(value, str):
        return value
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidRequest.at([name], "not UTF-8 text") from None
