"""The application as a whole."""

import subprocess
import sys
from typing import Any

import pytest

from broker import JobStore
from tests.paths import ROOT
from tests.service.conftest import client_of
from tests.service.validation.refusals import text

pytestmark = pytest.mark.anyio


@pytest.mark.usefixtures("idle_worker")
async def test_links_behind_a_proxy(store: JobStore) -> None:
    async with client_of(store, root_path="/attribution") as client:
        response = await client.post("/attribution/explain", json=text())
        assert response.status_code == 202
        assert response.headers["location"] == response.json()["links"]["self"]
        assert response.headers["location"].startswith("/attribution/jobs/")
        assert (await client.get(response.headers["location"])).status_code == 200


def test_service_imports_no_torch() -> None:
    forbidden = ("torch", "captum", "transformers", "workers", "sklearn", "scipy", "matplotlib")
    code = (
        "import sys, service.connections.server\n"
        f"print([name for name in {forbidden!r} if name in sys.modules])\nimport service.app"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_a_bare_server_starts_no_gateway() -> None:
    """It would have no bounds of connections."""
    command = [sys.executable, "-W", "ignore", "-m", "uvicorn", "--port", "0", "--factory", "service.app:create_app"]
    ended = subprocess.run(command, capture_output=True, check=False, timeout=60, cwd=ROOT)
    assert ended.returncode != 0
    assert b"Error loading ASGI app" in ended.stderr


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
