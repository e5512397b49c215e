"""`/jobs`: list, get and cancel."""

import httpx
import pytest

from tests.service.conftest import finished
from tests.service.double import WorkerDouble
from tests.service.validation.refusals import row, text

pytestmark = pytest.mark.anyio


@pytest.mark.usefixtures("idle_worker")
async def test_list(client: httpx.AsyncClient) -> None:
    for body in (row(), text(), row(seed=1)):
        await client.post("/explain", json=body)
    first = (await client.get("/jobs?limit=2")).json()
    assert [job["model"] for job in first["jobs"]] == ["breast-cancer-mlp", "minilm-sentiment"]
    rest = (await client.get("/jobs", params={"limit": 2, "cursor": first["next"]})).json()
    assert len(rest["jobs"]) == 1
    assert rest["next"] is None
    assert len((await client.get("/jobs?model=minilm-sentiment&status=queued")).json()["jobs"]) == 1
    assert (await client.get("/jobs?status=running")).json()["jobs"] == []


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=x", "status=lost", "cursor=x", "model=../x", "version=1", "page=2"]
)
async def test_list_refuses(client: httpx.AsyncClient, query: str) -> None:
    response = await client.get(f"/jobs?{query}")
    assert response.status_code == 422
    named = response.json()["errors"][0]["loc"]
    assert named[-1] == query.partition("=")[0]


@pytest.mark.parametrize("path", ["", "/events", "/result", "/overlay.png", "/quality.png"])
@pytest.mark.parametrize("job_id", ["nosuchjob", "a:b", "%2e%2e", "x" * 500, "%F0%9F%98%80"])
async def test_unknown_job(client: httpx.AsyncClient, path: str, job_id: str) -> None:
    response = await client.get(f"/jobs/{job_id}{path}")
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.usefixtures("idle_worker")
async def test_cancel(client: httpx.AsyncClient) -> None:
    job = (await client.post("/explain", json=row())).json()
    cancelled = await client.delete(f"/jobs/{job['id']}")
    assert cancelled.status_code == 200
    assert cancelled.json()["status"] == "cancelled"
    assert (await client.delete(f"/jobs/{job['id']}")).json() == cancelled.json()
    response = await client.get(f"/jobs/{job['id']}/result")
    assert response.status_code == 409
    assert response.json()["type"].endswith("job-has-no-result")
    assert (await client.delete("/jobs/nosuchjob")).status_code == 404


async def test_cancel_mid_run(client: httpx.AsyncClient, worker: WorkerDouble) -> None:
    worker.gate.clear()
    job = (await client.post("/explain", json=row())).json()
    assert worker.claimed.wait(10)
    assert (await client.get(f"/jobs/{job['id']}")).json()["status"] == "running"
    assert (await client.delete(f"/jobs/{job['id']}")).json()["status"] == "cancelled"
    worker.gate.set()
    await finished(client, row())
    assert (await client.get(f"/jobs/{job['id']}")).json()["status"] == "cancelled"
