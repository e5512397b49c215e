"""Settings of connections and sites."""

import pytest

from service.connection_settings import LOOPBACK_HOSTS, is_loopback
from service.settings import GatewaySettings, SettingsError, read_settings


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTRIBUTION_HOSTS", " API.example.com, [::1],*.example.org ,")
    monkeypatch.setenv("ATTRIBUTION_CORS_ORIGINS", "https://app.example.com,http://localhost:3000")
    monkeypatch.setenv("ATTRIBUTION_MAX_CONNECTIONS", "")
    settings = read_settings()
    assert settings.hosts == settings.allowed_hosts() == ("api.example.com", "[::1]", "*.example.org")
    assert settings.cors_origins == ("https://app.example.com", "http://localhost:3000")
    assert settings.max_connections is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HOSTS", "example.com:8000"),
        ("HOSTS", "https://example.com"),
        ("HOSTS", "a*.example.com"),
        ("HOSTS", "::1"),
        ("CORS_ORIGINS", "https://app.example.com/"),
        ("CORS_ORIGINS", "app.example.com"),
        ("CORS_ORIGINS", "*,https://app.example.com/x"),
        ("MAX_CONNECTIONS", "0"),
        ("HEAD_TIMEOUT_S", "never"),
    ],
)
def test_a_bad_value_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"ATTRIBUTION_{name}", value)
    with pytest.raises(SettingsError, match=f"^ATTRIBUTION_{name}: "):
        read_settings()


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.0.2.1", False),
        ("machine", False),
    ],
)
def test_the_bound_address_selects_the_allowed_hosts(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
    assert GatewaySettings(host=host).allowed_hosts() == (LOOPBACK_HOSTS if loopback else ("*",))
