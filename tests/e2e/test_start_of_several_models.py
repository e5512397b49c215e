"""A model answers while another one is being loaded at the start, and the command is ready when both are."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.running import RunningService
from tests.e2e.serving_repository import add_version, add_waiting
from tests.e2e.test_failures import request_of
from tests.eventually import until
from tests.servers import free_port

pytestmark = pytest.mark.anyio
LIMIT_S = 120.0


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{free_port()}", timeout=LIMIT_S) as client:
        yield client


@pytest.fixture
def starting(tmp_path: Path, client: httpx.AsyncClient) -> Iterator[RunningService]:
    """Its model `waiting` waits for the file `go`."""
    add_version(tmp_path / "models", "1")
    add_waiting(tmp_path / "models")
    options = ("--models", str(tmp_path / "models"), "--workers", "1", "--port", str(client.base_url.port))
    service = RunningService(tmp_path / "log", *options, standby=False)
    yield service
    (tmp_path / "go").touch()
    service.stop()


async def loading(client: httpx.AsyncClient) -> int | None:
    """How many models are being loaded, once a worker lives."""
    try:
        reply = await client.get("/readyz")
    except httpx.TransportError:  # the gateway starts
        return None
    return int(reply.json().get("loading", 0)) if reply.status_code == httpx.codes.OK else None


@pytest.mark.slow
async def test_a_model_answers_while_another_one_loads(
    starting: RunningService, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    async def lives() -> bool:
        return await loading(client) is not None

    await until("a worker lives", lives, LIMIT_S)
    assert await loading(client) == 1
    done = await client.post("/explain", params={"wait": 60}, json=request_of(model="slow"))
    assert done.json()["status"] == "succeeded", done.text
    refused = await client.post("/explain", json=request_of(model="waiting"))
    assert refused.status_code == 503
    assert "is being loaded" in refused.json()["detail"]
    assert int(refused.headers["retry-after"]) >= 1
    (tmp_path / "go").touch()
    starting.wait_until_ready()
    assert await loading(client) == 0
    done = await client.post("/explain", params={"wait": 60}, json=request_of(model="waiting"))
    assert done.json()["status"] == "succeeded", done.text
