"""Settings that gateways and workers share."""

import pytest
from pydantic import ValidationError

from broker import StoreSettings
from service.settings import GatewaySettings
from workers.settings import WorkerSettings


@pytest.mark.parametrize("kind", [StoreSettings, GatewaySettings, WorkerSettings])
def test_every_process_reads_the_same_variables(kind: type[StoreSettings], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTRIBUTION_REDIS_URL", "rediss://:secret@store:6380/1")
    monkeypatch.setenv("ATTRIBUTION_NAMESPACE", "team:one")
    monkeypatch.setenv("ATTRIBUTION_RESULT_TTL_S", "60")
    settings = kind()
    assert (settings.redis_url, settings.namespace) == ("rediss://:secret@store:6380/1", "team:one")
    assert settings.result_ttl_s == 60
    assert "secret" not in repr(settings)
    with pytest.raises(ValidationError, match="frozen"):
        settings.namespace = "other"


@pytest.mark.parametrize(
    ("name", "value"), [("REDIS_URL", "http://store"), ("NAMESPACE", "a b"), ("NAMESPACE", "it's")]
)
def test_bad_values_are_refused(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"ATTRIBUTION_{name}", value)
    with pytest.raises(ValidationError):
        StoreSettings()
