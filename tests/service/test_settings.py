"""The settings of the gateway."""

import pytest

from service.settings import GatewaySettings, SettingsError, read_settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ATTRIBUTION_PORT", "70000"),
        ("ATTRIBUTION_QUEUE_DEPTH", "many"),
        ("ATTRIBUTION_MAX_BODY_BYTES", "-1"),
        ("ATTRIBUTION_MAX_WAIT_S", "nan"),
        ("ATTRIBUTION_REDIS_URL", "http://:hunter2@redis"),
    ],
)
def test_a_bad_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name) as caught:
        read_settings()
    assert "hunter2" not in str(caught.value)


def test_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTRIBUTION_REDIS_URL", "redis://:hunter2@redis:6379/0")
    monkeypatch.setenv("ATTRIBUTION_PORT", "9000")
    settings = read_settings()
    assert settings.port == 9000
    assert "hunter2" not in repr(settings)
    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1  # type: ignore[misc]  # that it cannot be set is the point
    assert GatewaySettings().max_body_bytes == 16 * 1024 * 1024


def test_the_variable_is_the_workers_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTRIBUTION_RESULT_TTL_S", "120")
    assert read_settings().result_ttl_s == 120
    for wrong in ("0", "a day", str(31 * 86_400)):
        monkeypatch.setenv("ATTRIBUTION_RESULT_TTL_S", wrong)
        with pytest.raises(SettingsError, match="ATTRIBUTION_RESULT_TTL_S"):
            read_settings()
