"""`/jobs`: look, list, cancel; and results by every format."""

import io
from collections.abc import Mapping

import httpx
import numpy as np
import orjson
import pytest
from safetensors.numpy import load, save

from schemas.results import Explanation
from service.openapi.examples import NUCLEI
from service.results.formats import explanation_json
from tests.service.double import WorkerDouble
from tests.service.validation.refusals import picture, row, tensor, text

pytestmark = pytest.mark.anyio


async def finished(client: httpx.AsyncClient, body: Mapping[str, object]) -> str:
    answer = await client.post("/explain?wait=15", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] in {"succeeded", "failed"}
    return str(answer.json()["id"])


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
    answer = await client.get(f"/jobs?{query}")
    assert answer.status_code == 422
    named = answer.json()["errors"][0]["loc"]
    assert named[-1] == query.partition("=")[0]


@pytest.mark.parametrize("path", ["", "/events", "/result", "/overlay.png", "/quality.png"])
@pytest.mark.parametrize("job_id", ["nosuchjob", "a:b", "%2e%2e", "x" * 500, "%F0%9F%98%80"])
async def test_unknown_job(client: httpx.AsyncClient, path: str, job_id: str) -> None:
    answer = await client.get(f"/jobs/{job_id}{path}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.usefixtures("idle_worker")
async def test_cancel(client: httpx.AsyncClient) -> None:
    job = (await client.post("/explain", json=row())).json()
    cancelled = await client.delete(f"/jobs/{job['id']}")
    assert cancelled.status_code == 200
    assert cancelled.json()["status"] == "cancelled"
    assert (await client.delete(f"/jobs/{job['id']}")).json() == cancelled.json()
    answer = await client.get(f"/jobs/{job['id']}/result")
    assert answer.status_code == 409
    assert answer.json()["type"].endswith("job-has-no-result")
    assert (await client.delete("/jobs/nosuchjob")).status_code == 404


@pytest.mark.usefixtures("idle_worker")
async def test_result_not_ready(client: httpx.AsyncClient) -> None:
    job = (await client.post("/explain", json=row())).json()
    for path in ("result", "overlay.png", "quality.png"):
        answer = await client.get(f"/jobs/{job['id']}/{path}")
        assert answer.status_code == 409
        assert answer.json()["type"].endswith("result-not-ready")


async def test_cancel_mid_run(client: httpx.AsyncClient, worker: WorkerDouble) -> None:
    worker.gate.clear()
    job = (await client.post("/explain", json=row())).json()
    assert worker.claimed.wait(10)
    assert (await client.get(f"/jobs/{job['id']}")).json()["status"] == "running"
    assert (await client.delete(f"/jobs/{job['id']}")).json()["status"] == "cancelled"
    worker.gate.set()
    await finished(client, row())
    assert (await client.get(f"/jobs/{job['id']}")).json()["status"] == "cancelled"


@pytest.mark.usefixtures("worker")
async def test_result_of_a_failed_job(client: httpx.AsyncClient) -> None:
    job_id = await finished(client, text(input={"text": "fail"}))
    answer = await client.get(f"/jobs/{job_id}/result")
    assert answer.status_code == 409
    assert "the text says so (input_rejected)" in answer.json()["detail"]


@pytest.mark.usefixtures("worker")
async def test_result_as_json(client: httpx.AsyncClient) -> None:
    job_id = await finished(client, row())
    answer = await client.get(f"/jobs/{job_id}/result")
    assert answer.headers["content-type"] == "application/json"
    explanation = Explanation.model_validate_json(answer.content)
    assert explanation.id == job_id
    assert explanation.attributions[0].shape == [1, 30]
    np.testing.assert_allclose(
        np.array(explanation.attributions[0].data, dtype=float), list(NUCLEI.values()), rtol=1e-6
    )
    assert explanation.features is not None
    assert explanation.features[0][0].name == "mean radius"


@pytest.mark.usefixtures("worker")
async def test_result_as_npy_and_safetensors(client: httpx.AsyncClient) -> None:
    body = {
        "model": "two-tensors",
        "input": {"tensors": [{"shape": [1, 3], "data": [1, 2, 3]}, {"shape": [1, 3], "data": [4, 5, 6]}]},
    }
    url = f"/jobs/{await finished(client, body)}/result"
    npy = {"Accept": "application/x-npy"}
    answer = await client.get(url, headers=npy)
    assert answer.headers["content-type"] == "application/x-npy"
    np.testing.assert_array_equal(np.load(io.BytesIO(answer.content)), [[1, 2, 3]])
    second = await client.get(url, params={"tensor": "input.1"}, headers=npy)
    np.testing.assert_array_equal(np.load(io.BytesIO(second.content)), [[4, 5, 6]])
    unknown = await client.get(url, params={"tensor": "input.2"}, headers=npy)
    assert unknown.status_code == 422
    assert unknown.json()["errors"][0]["loc"] == ["query", "tensor"]
    blob = load((await client.get(url, headers={"Accept": "application/vnd.safetensors"})).content)
    assert sorted(blob) == ["input.0", "input.1"]
    refused = await client.get(url, headers={"Accept": "text/html"})
    assert refused.status_code == 406
    assert refused.json()["type"].endswith("not-acceptable")


@pytest.mark.usefixtures("worker")
async def test_results_are_cacheable(client: httpx.AsyncClient) -> None:
    url = f"/jobs/{await finished(client, row())}/result"
    answer = await client.get(url)
    assert "immutable" in answer.headers["cache-control"]
    assert "private" in answer.headers["cache-control"]
    again = await client.get(url, headers={"If-None-Match": f'"other", W/{answer.headers["etag"]}'})
    assert again.status_code == 304
    assert again.content == b""
    other = await client.get(url, headers={"Accept": "application/x-npy", "If-None-Match": answer.headers["etag"]})
    assert other.status_code == 200


def test_nan_never_reaches_json() -> None:
    meta = orjson.dumps({"attributions": [{"name": "input", "datatype": "FP16", "shape": [1, 3]}]})
    blob = save({"input": np.array([[1.5, np.nan, np.inf]], dtype=np.float16)})
    assert orjson.loads(explanation_json(meta, blob))["attributions"][0]["data"] == [1.5, None, None]


@pytest.mark.usefixtures("worker")
async def test_every_numeric_type_in_json(client: httpx.AsyncClient) -> None:
    for body in (
        tensor([1, 3], [1, 2, 3], "integers"),
        tensor([1, 3], [1, 2.5, 3], "halves", target=None),
        tensor([1, 2, 4, 4], [0.1] * 32),
        picture(),
    ):
        job_id = await finished(client, body)
        answer = await client.get(f"/jobs/{job_id}/result")
        Explanation.model_validate_json(answer.content)
