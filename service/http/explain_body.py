"""Reads the bodies of `POST /explain` and `POST /compare`, as JSON or as a form."""

import re

from fastapi import Request

from schemas.comparisons import CompareRequest
from schemas.errors import UnsupportedMedia
from schemas.requests import ExplainRequest
from service.http.compare_form import compare_document
from service.http.form import Part, read_form, read_parts
from service.monitoring.request_trace import traced
from service.state import Gateway
from service.validation.document.body import parse_json, read_comparison, read_request

JSON_MEDIA = re.compile(r"^application/json\s*(;|$)", re.IGNORECASE)
FORM_MEDIA = re.compile(r"^multipart/form-data\s*(;|$)", re.IGNORECASE)


async def read_explain_body(request: Request, gateway: Gateway) -> ExplainRequest:
    """The validated request, parsed by the media type of its body.

    Raises:
        UnsupportedMedia: the body is neither JSON nor a form.
        MalformedBody, BodyTooLarge, InvalidRequest: as `service.validation.document.body` and `service.http.form`.
    """
    media = request.headers.get("content-type", "")
    with traced("receive"):
        if JSON_MEDIA.match(media):
            body = await request.body()
            return await gateway.compute_sized(len(body), _request_of_json, body)
        if FORM_MEDIA.match(media):
            return await gateway.compute(read_request, await read_form(request))
        raise UnsupportedMedia("Send application/json or multipart/form-data.")


async def read_compare_body(request: Request, gateway: Gateway) -> CompareRequest:
    """The validated request of a comparison. Raises as `read_explain_body`."""
    media = request.headers.get("content-type", "")
    with traced("receive"):
        if JSON_MEDIA.match(media):
            body = await request.body()
            return await gateway.compute_sized(len(body), _comparison_of_json, body)
        if FORM_MEDIA.match(media):
            return await gateway.compute(_comparison_of_form, await read_parts(request))
        raise UnsupportedMedia("Send application/json or multipart/form-data.")


def _comparison_of_json(body: bytes) -> CompareRequest:
    return read_comparison(parse_json(body))


def _comparison_of_form(parts: list[Part]) -> CompareRequest:
    return read_comparison(compare_document(parts))


def _request_of_json(body: bytes) -> ExplainRequest:
    return read_request(parse_json(body))
