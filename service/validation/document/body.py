"""Parses the body of `POST /explain`. Large bodies take up to a second of CPU: run it in a thread."""

from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from schemas.errors import InvalidRequest, MalformedBody
from schemas.requests import ExplainRequest
from schemas.sentences import Sentence, words
from service.validation.document.bulk import check_bulk
from service.validation.document.field_errors import field_errors


def parse_json(body: bytes) -> Any:
    """Parse JSON of bounded depth.

    Raises:
        MalformedBody: the body is not JSON, or is nested deeper than 200 levels.
    """
    try:
        return from_json(body, cache_strings=False)
    except ValueError as error:
        raise MalformedBody(Sentence("The body is not JSON: {error}.", error=error)) from None


def read_request(document: Any) -> ExplainRequest:
    """Validate a parsed document.

    Raises:
        InvalidRequest: fields are missing, unknown or out of range; names them.
    """
    if not isinstance(document, dict):
        raise InvalidRequest("The body must be a JSON object.")
    check_bulk(document)
    try:
        return ExplainRequest.model_validate(document)
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
