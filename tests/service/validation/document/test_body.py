"""Bodies: JSON of bounded depth, and errors that name the first field."""

import pytest

from schemas.errors import FieldError, InvalidRequest, MalformedBody
from service.validation.document.body import parse_json, read_request, summary


@pytest.mark.parametrize("body", [b"", b"{", b'{"a": "\xff"}', b"[" * 300])
def test_malformed(body: bytes) -> None:
    with pytest.raises(MalformedBody, match="not JSON"):
        parse_json(body)


def test_a_request() -> None:
    document = parse_json(b'{"model": "m", "input": {"text": "x"}}')
    assert read_request(document).model == "m"


@pytest.mark.parametrize("document", [[], "x", None, 3])
def test_other_documents(document: object) -> None:
    with pytest.raises(InvalidRequest, match="must be a JSON object"):
        read_request(document)


def test_the_summary_names_the_first_field() -> None:
    errors = [FieldError(loc=["input", "text"], msg="a string is needed"), FieldError(loc=[], msg="x")]
    assert summary(errors) == "input.text: a string is needed (and 1 more)"
    assert summary(errors[1:]) == "body: x"
    with pytest.raises(InvalidRequest) as caught:
        read_request({"input": {"text": 3}})
    assert caught.value.detail.endswith("(and 1 more)")
