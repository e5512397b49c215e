"""Responses to what never becomes a request: written to the connection as bytes."""

from http import HTTPStatus

from schemas.errors import Problem

TOO_MANY = "The service has too many open connections. Health checks are still answered."
DETAILS = {
    HTTPStatus.BAD_REQUEST: "The request is not valid HTTP/1.1.",
    HTTPStatus.REQUEST_TIMEOUT: "The request took too long to arrive.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body comes in too many small chunks.",
    HTTPStatus.REQUEST_URI_TOO_LONG: "The URL is too long.",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "The headers are too many or too large.",
    HTTPStatus.SERVICE_UNAVAILABLE: TOO_MANY,
}


class Refused(Exception):
    """Raised within the parser: the connection is to be refused with this status."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


def refusal(status: HTTPStatus) -> bytes:
    """A whole response with a problem document; it says that the connection closes."""
    problem = Problem(type="about:blank", title=status.phrase, status=status.value, detail=DETAILS[status])
    body = problem.model_dump_json(exclude_none=True).encode()
    retry = "retry-after: 1\r\n" if status == HTTPStatus.SERVICE_UNAVAILABLE else ""
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/problem+json\r\n"
        f"content-length: {len(body)}\r\n{retry}connection: close\r\n\r\n"
    )
    return head.encode() + body
