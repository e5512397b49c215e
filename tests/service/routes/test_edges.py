"""What surrounds every route: problem documents, request ids, the last resort, settings, and walls."""

import subprocess
import sys
from typing import Any

import httpx
import pytest
import structlog
from fastapi import FastAPI

from broker import JobStore
from service.http.access_log import AccessLog
from service.monitoring.http_metrics import HttpMetrics
from service.monitoring.logging import configure_logging
from service.settings import GatewaySettings, SettingsError, read_settings
from tests.service.conftest import client_of
from tests.service.validation.refusals import text

pytestmark = pytest.mark.anyio


async def test_unknown_route_and_method(client: httpx.AsyncClient) -> None:
    missing = await client.get("/nothing/here")
    assert missing.status_code == 404
    assert missing.headers["content-type"] == "application/problem+json"
    assert missing.json() == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "There is no such route.",
    }
    wrong = await client.put("/explain")
    assert wrong.status_code == 405
    assert wrong.headers["content-type"] == "application/problem+json"
    assert wrong.headers["allow"] == "POST"


async def test_request_ids(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz", headers={"X-Request-Id": "abc-1.2"})).headers["x-request-id"] == "abc-1.2"
    made = [(await client.get("/nothing")).headers["x-request-id"] for _ in range(2)]
    assert made[0] != made[1]
    for hostile in ("a b", "x" * 65, "é"):
        answer = await client.get("/healthz", headers=[(b"X-Request-Id", hostile.encode())])
        assert len(answer.headers["x-request-id"]) == 32


@pytest.mark.usefixtures("idle_worker")
async def test_links_behind_a_proxy(store: JobStore) -> None:
    async with client_of(store, root_path="/attribution") as client:
        answer = await client.post("/attribution/explain", json=text())
        assert answer.status_code == 202
        assert answer.headers["location"] == answer.json()["links"]["self"]
        assert answer.headers["location"].startswith("/attribution/jobs/")
        assert (await client.get(answer.headers["location"])).status_code == 200


async def test_defects_are_500_without_traceback() -> None:
    app = FastAPI()

    @app.get("/defect")
    async def defect() -> None:
        raise RuntimeError("a secret of the server")

    metrics = HttpMetrics()
    app.add_middleware(AccessLog, metrics=metrics)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as client:
        with structlog.testing.capture_logs() as logs:
            answer = await client.get("/defect")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"].endswith("internal-error")
    assert "secret" not in answer.text
    assert answer.headers["x-request-id"]
    assert [line["event"] for line in logs] == ["defect", "request"]
    assert b'route="/defect",status="500"' in metrics.exposition()


@pytest.mark.usefixtures("idle_worker")
async def test_one_log_line_per_request_without_the_input(client: httpx.AsyncClient) -> None:
    with structlog.testing.capture_logs() as logs:
        await client.post("/explain?token=hunter2", json=text(input={"text": "my private words"}))
    assert len(logs) == 1
    line = logs[0]
    assert (line["event"], line["method"], line["route"], line["status"]) == ("request", "POST", "/explain", 202)
    assert line["bytes"] > 100
    assert "hunter2" not in str(line)
    assert "private" not in str(line)


def test_logging_is_json_off_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    before = structlog.get_config()
    try:
        configure_logging()
        structlog.get_logger("test").warning("something", count=3)
    finally:
        structlog.configure(**before)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert '"event": "something"' in printed.err
    assert '"count": 3' in printed.err


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


def test_service_imports_no_torch() -> None:
    forbidden = ("torch", "captum", "transformers", "workers", "sklearn", "scipy", "matplotlib")
    code = (
        f"import sys, service.main\nprint([name for name in {forbidden!r} if name in sys.modules])\nimport service.app"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


async def test_own_store_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[Any] = []
    original = JobStore.close

    async def close(self: JobStore) -> None:
        closed.append(self)
        await original(self)

    monkeypatch.setattr(JobStore, "close", close)
    async with client_of(None) as client:
        assert (await client.get("/healthz")).status_code == 200
    assert len(closed) == 1
