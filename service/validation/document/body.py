"""Parses the bodies of requests. Large bodies take up to a second of CPU: run it in a thread."""

from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import from_json

from schemas.base import Strict
from schemas.comparisons import CompareRequest
from schemas.errors import InvalidRequest, MalformedBody
from schemas.monitors import MonitorRequest
from schemas.requests import ExplainRequest
from schemas.sentences import Sentence, words
from service.tuning import MAX_JSON_CONTAINERS
from service.validation.document.bulk import check_bulk
from service.validation.document.field_errors import field_errors, short
from service.validation.document.suggest import unknown_field

Validated = TypeVar("Validated", bound=Strict)


def parse_json(body: bytes) -> Any:
    """Parse JSON of bounded depth.

    Raises:
        MalformedBody: the body is not JSON, is nested deeper than 200 levels, or has too many arrays and objects.
    """
    if body.count(b"[") + body.count(b"{") > MAX_JSON_CONTAINERS:  # also in strings, where they are few
        raise MalformedBody(
            Sentence(
                "The body has more than {most} arrays and objects; send a tensor's data as one flat array.",
                most=MAX_JSON_CONTAINERS,
            )
        )
    try:
        return from_json(body, cache_strings=False)
    except ValueError as error:
        raise MalformedBody(Sentence("The body is not JSON: {error}.", error=error)) from None


def read_comparison(document: Any) -> CompareRequest:
    """Validate the parsed document of a comparison. Raises as `read_request`."""
    return _without_unknown(document, CompareRequest)


def read_monitor_request(document: Any) -> MonitorRequest:
    """Validate the parsed document of a monitor. Raises as `read_request`."""
    return _without_unknown(document, MonitorRequest)


def read_request(document: Any) -> ExplainRequest:
    """Validate a parsed document.

    Raises:
        InvalidRequest: fields are missing, unknown or out of range; names them.
    """
    return _validated(document, ExplainRequest)


def _without_unknown(document: Any, kind: type[Validated]) -> Validated:
    """Validate a document whose fields are not those of `POST /explain`."""
    known = list(kind.model_fields)
    unknown = next((name for name in document if name not in known), None) if isinstance(document, dict) else None
    if unknown is not None:
        raise InvalidRequest.at(short([unknown]), unknown_field(unknown, known))
    return _validated(document, kind)


def _validated(document: Any, kind: type[Validated]) -> Validated:
    if not isinstance(document, dict):
        raise InvalidRequest("The body must be a JSON object.")
    check_bulk(document)
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        fields = field_errors(error.errors(include_url=False, include_input=False), document)
    raise InvalidRequest(summary(fields), errors=fields)


def summary(fields: list[Any]) -> str:
    """One sentence for `detail`: the first refused field, and the number of others."""
    first = fields[0]
    where = ".".join(str(part) for part in first.loc) or "body"
    if len(fields) == 1:
        return Sentence("{where}: {reason}", where=where, reason=words(first.msg))
    return Sentence("{where}: {reason} (and {count} more)", where=where, reason=words(first.msg), count=len(fields) - 1)
