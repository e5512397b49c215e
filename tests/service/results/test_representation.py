"""The requested format of a result."""

import pytest

from schemas.errors import NotAcceptable
from service.results.representation import RequestedFormat


def test_the_headers_select_the_format() -> None:
    assert RequestedFormat.of(None, None) == RequestedFormat("application/json", "en")
    assert RequestedFormat.of("image/*", "es-MX") == RequestedFormat("image/png", "es")
    assert RequestedFormat.of("application/x-npy", None, "input.1").tensor == "input.1"


def test_other_formats_are_not_acceptable() -> None:
    with pytest.raises(NotAcceptable, match="application/json, application/x-npy"):
        RequestedFormat.of("text/plain", None)
