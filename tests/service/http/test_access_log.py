"""The middleware around every request: request ids, log lines, unexpected exceptions."""

import httpx
import pytest
import structlog
from fastapi import FastAPI
from prometheus_client import generate_latest

from service.http.access_log import AccessLog
from service.monitoring.http_metrics import HttpMetrics
from tests.service.validation.refusals import text

pytestmark = pytest.mark.anyio


async def test_request_ids(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz", headers={"X-Request-Id": "abc-1.2"})).headers["x-request-id"] == "abc-1.2"
    made = [(await client.get("/nothing")).headers["x-request-id"] for _ in range(2)]
    assert made[0] != made[1]
    for hostile in ("a b", "x" * 65, "é"):
        response = await client.get("/healthz", headers=[(b"X-Request-Id", hostile.encode())])
        assert len(response.headers["x-request-id"]) == 32


async def test_defects_are_500_without_traceback() -> None:
    app = FastAPI()

    @app.get("/defect")
    async def defect() -> None:
        raise RuntimeError("a secret of the server")

    metrics = HttpMetrics()
    app.add_middleware(AccessLog, metrics=metrics)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as client:
        with structlog.testing.capture_logs() as logs:
            response = await client.get("/defect")
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["type"].endswith("internal-error")
    assert "secret" not in response.text
    assert response.headers["x-request-id"]
    assert [line["event"] for line in logs] == ["defect", "request"]
    assert b'route="/defect",status="500"' in generate_latest(metrics.registry)


@pytest.mark.usefixtures("idle_worker")
@pytest.mark.parametrize(("query", "status"), [("lang=es", 202), ("token=hunter2", 422)])
async def test_one_log_line_per_request_without_the_input(client: httpx.AsyncClient, query: str, status: int) -> None:
    with structlog.testing.capture_logs() as logs:
        await client.post(f"/explain?{query}", json=text(input={"text": "my private words"}))
    assert len(logs) == 1
    line = logs[0]
    assert (line["event"], line["method"], line["route"], line["status"]) == ("request", "POST", "/explain", status)
    assert line["bytes"] > 100
    assert "hunter2" not in str(line)
    assert "private" not in str(line)


@pytest.mark.parametrize(
    ("job_id", "is_logged"),
    [
        ("x" * 22, True),
        (f"{'x' * 22}-pictures", True),  # of one of several stores
        ("attr_" + "x" * 43, False),  # an API key in the wrong place
        (f"{'x' * 22}-{'y' * 17}", False),
        (f"{'x' * 22}-Pictures", False),
        ("short", False),
    ],
)
async def test_what_may_be_the_id_of_a_job_is_logged(client: httpx.AsyncClient, job_id: str, is_logged: bool) -> None:
    with structlog.testing.capture_logs() as logs:
        await client.get(f"/jobs/{job_id}")
    (line,) = [one for one in logs if one["event"] == "request"]
    assert line.get("job_id") == (job_id if is_logged else None)
