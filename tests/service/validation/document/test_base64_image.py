"""Pictures as text: base64 and data URIs, and texts that are neither."""

import base64

import pytest

from service.validation.document.base64_image import NotBase64, image_bytes, is_location

DATA = b"\x89PNG and more"
TEXT = base64.b64encode(DATA).decode()


@pytest.mark.parametrize("head", ["", "data:image/png;base64,", "DATA:;Base64,"])
def test_the_bytes(head: str) -> None:
    assert image_bytes(head + TEXT) == DATA


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("data:image/png,abc", "must hold base64"),
        ("http://example.org/cat.png", "not a URL or a path"),
        ("C:\\cat.png", "not a URL or a path"),
        ("not base64!", "not valid base64"),
        (TEXT + "\n", "not valid base64"),
    ],
)
def test_refused(text: str, message: str) -> None:
    with pytest.raises(NotBase64, match=message) as caught:
        image_bytes(text)
    assert text not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("/path/to/cat", True), ("../cat", True), ("cat.JPEG", True), ("s3://bucket/cat", True), ("/9j/4AAQ", False)],
)
def test_locations(text: str, expected: bool) -> None:
    assert is_location(text) is expected
