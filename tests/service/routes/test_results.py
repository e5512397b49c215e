"""`GET /jobs/{id}/result`: formats, caching, jobs without a result."""

import io

import httpx
import numpy as np
import pytest
from safetensors.numpy import load

from schemas.results import Explanation
from service.openapi.examples import NUCLEI
from tests.service.conftest import finished
from tests.service.validation.refusals import row, text

pytestmark = pytest.mark.anyio


@pytest.mark.usefixtures("idle_worker")
async def test_result_not_ready(client: httpx.AsyncClient) -> None:
    job = (await client.post("/explain", json=row())).json()
    for path in ("result", "overlay.png", "quality.png"):
        response = await client.get(f"/jobs/{job['id']}/{path}")
        assert response.status_code == 409
        assert response.json()["type"].endswith("result-not-ready")


@pytest.mark.usefixtures("worker")
async def test_result_of_a_failed_job(client: httpx.AsyncClient) -> None:
    job_id = await finished(client, text(input={"text": "fail"}))
    response = await client.get(f"/jobs/{job_id}/result")
    assert response.status_code == 409
    assert "the text has no tokens (input_rejected)" in response.json()["detail"]


@pytest.mark.usefixtures("worker")
async def test_result_as_json(client: httpx.AsyncClient) -> None:
    job_id = await finished(client, row())
    response = await client.get(f"/jobs/{job_id}/result")
    assert response.headers["content-type"] == "application/json"
    explanation = Explanation.model_validate_json(response.content)
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
    response = await client.get(url, headers=npy)
    assert response.headers["content-type"] == "application/x-npy"
    np.testing.assert_array_equal(np.load(io.BytesIO(response.content)), [[1, 2, 3]])
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
    response = await client.get(url)
    assert "immutable" in response.headers["cache-control"]
    assert "private" in response.headers["cache-control"]
    again = await client.get(url, headers={"If-None-Match": f'"other", W/{response.headers["etag"]}'})
    assert again.status_code == 304
    assert again.content == b""
    other = await client.get(url, headers={"Accept": "application/x-npy", "If-None-Match": response.headers["etag"]})
    assert other.status_code == 200
