"""`Accept` and `Accept-Language`, as RFC 9110 defines them."""

import pytest

from service.http.negotiation import choose_language, choose_media

OFFERS = ("application/json", "application/x-npy", "image/png")
LANGUAGES = ("en", "es")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, "application/json"),
        ("", "application/json"),
        ("*/*", "application/json"),
        ("image/png", "image/png"),
        ("image/*", "image/png"),
        ("text/html, image/png;q=0.9, */*;q=0.1", "image/png"),
        ("application/*;q=0.5, application/x-npy;q=0.8", "application/x-npy"),
        ("application/json;q=0, */*", "application/x-npy"),
        ("application/json;q=0", None),
        ("APPLICATION/JSON", "application/json"),
        ("text/html", None),
        ("image/png;q=nonsense", None),
        ("image/png;q=nan", None),
        (",,;,", None),
    ],
)
def test_media(header: str | None, expected: str | None) -> None:
    assert choose_media(header, OFFERS) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, "en"),
        ("es", "es"),
        ("es-MX,en;q=0.8", "es"),
        ("fr, es;q=0.4, en;q=0.5", "en"),
        ("de", "en"),
        ("*", "en"),
        ("es;q=0, *;q=0.1", "en"),
    ],
)
def test_language(header: str | None, expected: str) -> None:
    assert choose_language(header, LANGUAGES) == expected
