"""Converts a `multipart/form-data` body to the document that a JSON body would hold, for requests by curl.

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
from schemas.sentences import Sentence
from service.tuning import MAX_FORM_FIELD_BYTES, MAX_FORM_FIELDS, MAX_FORM_FILES
from service.validation.document.field_errors import short
from service.validation.document.suggest import unknown_field

REQUEST_FIELDS = ("model", "version", "seed", "priority")
JSON_INPUTS = frozenset({"features", "tensor", "tensors"})
# In a form the field `method` holds the name. The quadrature rule `method` of integrated gradients needs JSON.
PARAMETERS = frozenset(field for cls in METHODS.values() for field in cls.model_fields) - {"name", "method"}
PLAIN_PARAMETERS = frozenset({"layer"})  # stay text even if they look like a number
FIELDS = (*REQUEST_FIELDS, "method", "target", "quality", *INPUT_KEYS, *sorted(PARAMETERS))
Part = tuple[str, str | bytes]  # name and content
INDEX = re.compile(r"^\s*[+-]?[0-9]{1,12}\s*$")


async def read_form(request: Request) -> dict[str, Any]:
    """Read the form and convert it to the document of an `ExplainRequest`.

    Raises:
        MalformedBody: the body is not multipart, or has too many or too large parts.
        InvalidRequest: a field is unknown, repeated, or not valid JSON where JSON is required; names the field.
    """
    values: dict[str, str | bytes] = {}
    for name, value in await read_parts(request):
        if name in values:
            raise InvalidRequest.at(short([name]), "given twice; give it once")
        values[name] = value
    return form_document(values)


async def read_parts(request: Request) -> list[Part]:
    """The parts of a form in their order. Files are bytes, other parts are text.

    Raises:
        MalformedBody: the body is not multipart, or has too many or too large parts.
    """
    try:
        form = await request.form(
            max_files=MAX_FORM_FILES, max_fields=MAX_FORM_FIELDS, max_part_size=MAX_FORM_FIELD_BYTES
        )
    except HTTPException as error:
        raise MalformedBody(Sentence("The form could not be read: {error}", error=error.detail)) from None
    try:
        return [
            (name, await part.read() if isinstance(part, UploadFile) else part) for name, part in form.multi_items()
        ]
    finally:
        await form.close()


def form_document(values: dict[str, str | bytes]) -> dict[str, Any]:
    """The document that the fields describe. Files are bytes, other parts are text.

    Raises:
        InvalidRequest: as `read_form`.
    """
    unknown = next((name for name in values if name not in FIELDS), None)
    if unknown is not None:
        raise InvalidRequest.at(short([unknown]), _unknown_form_field(unknown))
    document: dict[str, Any] = {name: text_of(name, values[name]) for name in REQUEST_FIELDS if name in values}
    document["input"] = {name: input_of(name, values[name]) for name in INPUT_KEYS if name in values}
    if "target" in values:
        document["target"] = target_of(text_of("target", values["target"]))
    if "quality" in values:
        document["quality"] = _quality(text_of("quality", values["quality"]))
    parameters = {name: _parameter(name, text_of(name, values[name])) for name in PARAMETERS if name in values}
    if "method" in values:
        document["method"] = _method(text_of("method", values["method"]), parameters)
    elif parameters:
        raise InvalidRequest.at([min(parameters)], "a parameter needs the field method; add it")
    return document


def _unknown_form_field(name: str) -> str:
    if name in ("input", "inputs"):
        return f"unknown field; in a form each of {', '.join(INPUT_KEYS)} is its own field"
    return unknown_field(name, FIELDS)


def input_of(name: str, value: str | bytes) -> Any:
    """The input that a part holds. Raises InvalidRequest: a picture as text, or not valid JSON where it is required."""
    if name == "image":
        if isinstance(value, str) and value.startswith("data:"):
            return value
        if isinstance(value, str):
            raise InvalidRequest.at(["input", "image"], "send the picture as a file part, such as -F image=@cat.jpg")
        return b64encode(value).decode("ascii")
    text = text_of(name, value)
    return parsed_json(["input", name], text) if name in JSON_INPUTS else text


def _method(text: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """The method from its name or JSON object, merged with the parameters sent as separate fields."""
    method = parsed_json(["method"], text) if text.lstrip().startswith("{") else {"name": text.strip()}
    twice = next((name for name in parameters if name in method), None)
    if twice is not None:
        raise InvalidRequest.at(["method", twice], "given both as a field and inside method; give it once")
    return {**method, **parameters}


def _parameter(name: str, text: str) -> Any:
    """The parsed value if the text is JSON (a number, list, object or boolean), else the text."""
    if name in PLAIN_PARAMETERS:
        return text
    try:
        return from_json(text)
    except ValueError:
        return text


def target_of(text: str) -> Any:
    """An index, a JSON list of targets, or a label."""
    if INDEX.match(text):
        return int(text)
    return _parameter("target", text) if text.lstrip().startswith("[") else text


def _quality(text: str) -> Any:
    """A JSON list of metrics, or their names separated by commas."""
    if text.lstrip().startswith(("[", "{")):
        return parsed_json(["quality"], text)
    return [name.strip() for name in text.split(",")]


def parsed_json(loc: list[str | int], text: str) -> Any:
    """The value that a text describes. Raises InvalidRequest at `loc`: it is not JSON."""
    try:
        return from_json(text)
    except ValueError as error:
        raise InvalidRequest.at(loc, Sentence("not valid JSON: {error}", error=error)) from None


def text_of(name: str, value: str | bytes) -> str:
    """A part as text. Raises InvalidRequest: it is not UTF-8."""
    if isinstance(value, str):
        return value
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidRequest.at([name], "not UTF-8 text") from None
