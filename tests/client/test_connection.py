"""Where a client sends its requests, and its key."""

import pytest

from attribution_client.connection import Connection
from attribution_client.errors import InputError


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ATTRIBUTION_URL", "ATTRIBUTION_KEY", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)


def test_the_environment_fills_in(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Connection.of(None, None, None) == Connection("http://127.0.0.1:8000", {}, uses_proxies=False)
    monkeypatch.setenv("ATTRIBUTION_URL", "https://example.org/attribution/")
    monkeypatch.setenv("ATTRIBUTION_KEY", " secret\n")
    monkeypatch.setenv("LANG", "es_ES.UTF-8")
    headers = {"Authorization": "Bearer secret", "Accept-Language": "es"}
    assert Connection.of(None, None, None) == Connection("https://example.org/attribution", headers, uses_proxies=True)
    assert Connection.of("http://localhost:1", "other", "en").headers["Authorization"] == "Bearer other"
    assert "Authorization" not in Connection.of(None, "", None).headers


def test_the_key_is_not_shown() -> None:
    assert "secret" not in repr(Connection.of(None, "secret", None))


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ftp://host", "not the URL of a service"),
        ("example.org", "not the URL of a service"),
        ("http://", "not the URL of a service"),
        ("http://user:password@host", "no password"),
        ("http://host?a=b", "no password, query"),
        ("http://host:abc", "is not a URL"),
        ("http://host\n", "not"),
    ],
)
def test_urls_that_are_refused(url: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Connection.of(url, None, None)


def test_a_key_with_a_line_break_is_refused_and_not_shown() -> None:
    with pytest.raises(InputError) as raised:
        Connection.of(None, "secret\r\nX-Other: 1", None)
    assert "secret" not in str(raised.value)
