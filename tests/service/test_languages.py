"""The language of a response."""

import pytest

from service.drawing.captions import CAPTIONS
from service.http.negotiation import language_of
from service.languages import LANGUAGES


@pytest.mark.parametrize(("header", "expected"), [(None, "en"), ("es-MX,en;q=0.8", "es"), ("de", "en"), ("*", "en")])
def test_the_header_selects_a_language(header: str | None, expected: str) -> None:
    assert language_of(header) == expected


def test_every_language_has_all_captions() -> None:
    assert set(CAPTIONS) == set(LANGUAGES)
    for captions in CAPTIONS.values():
        assert captions.keys() == CAPTIONS["en"].keys()
        assert all(captions.values())
    for name, caption in CAPTIONS["en"].items():  # the same placeholders in both languages
        assert caption.count("{") == CAPTIONS["es"][name].count("{")
