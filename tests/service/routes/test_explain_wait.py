"""`POST /explain` that waits for the end of its job, and answers with it or with its result."""

import io
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from broker import JobStore
from tests.service.conftest import SETTINGS, client_of
from tests.service.validation.refusals import picture, row, text

pytestmark = pytest.mark.anyio
RESULT = "/explain?wait=15&answer=result"


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("headers", [{"Prefer": "wait=15"}, {}], ids=["header", "query"])
async def test_wait_for_the_end(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    response = await client.post("/explain" if headers else "/explain?wait=15", json=row(), headers=headers)
    job = response.json()
    assert response.status_code == 200
    assert job["status"] == "succeeded"
    assert job["progress"]["fraction"] == 1.0
    assert job["target"] == [{"index": 0, "label": "malignant"}]
    assert response.headers.get("preference-applied") == ("wait=15" if headers else None)


@pytest.mark.usefixtures("worker")
async def test_a_failed_job_ends_the_wait(client: httpx.AsyncClient) -> None:
    response = await client.post("/explain?wait=15", json=text(input={"text": "please fail"}))
    assert response.status_code == 200
    assert response.json()["status"] == "failed"
    assert response.json()["error"]["code"] == "input_rejected"


@pytest.mark.usefixtures("idle_worker")
async def test_wait_is_bounded(client: httpx.AsyncClient, store: JobStore) -> None:
    response = await client.post("/explain", json=row(), headers={"Prefer": "wait=0.05"})
    assert response.status_code == 202
    assert response.json()["status"] == "queued"
    assert response.headers["preference-applied"] == "wait=0.05"
    async with client_of(store, SETTINGS.model_copy(update={"max_wait_s": 0.05})) as impatient:
        response = await impatient.post("/explain", json=row(), headers={"Prefer": "respond-async, wait=3600"})
        assert response.status_code == 202
        assert response.headers["preference-applied"] == "wait=0.05"


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("accept", ["application/json", "application/x-npy", "application/vnd.safetensors"])
async def test_the_result_is_that_of_its_own_address(client: httpx.AsyncClient, accept: str) -> None:
    response = await client.post(RESULT, json=row(), headers={"Accept": accept})
    fetched = await client.get(response.headers["content-location"], headers={"Accept": accept})
    assert (response.status_code, response.headers["content-type"]) == (200, accept)
    assert response.content == fetched.content
    assert response.headers["etag"] == fetched.headers["etag"]
    assert response.headers["content-location"] == f"{response.headers['location']}/result"
    if accept == "application/x-npy":
        assert np.load(io.BytesIO(response.content)).shape == (1, 30)


@pytest.mark.usefixtures("worker")
async def test_a_picture_at_once(client: httpx.AsyncClient) -> None:
    headers = {"Accept": "image/png", "Accept-Language": "es", "Prefer": "wait=15"}
    response = await client.post("/explain?answer=result", json=row(), headers=headers)
    overlay = await client.get(f"{response.headers['location']}/overlay.png", headers=headers)
    assert Image.open(io.BytesIO(response.content)).format == "PNG"
    assert response.content == overlay.content
    assert response.headers["preference-applied"] == "wait=15"


@pytest.mark.usefixtures("worker")
async def test_a_failed_job_has_no_result_but_an_address(client: httpx.AsyncClient) -> None:
    response = await client.post(RESULT, json=text(input={"text": "please fail"}))
    assert response.status_code == 409
    assert response.json()["type"].endswith("job-has-no-result")
    assert "(input_rejected)" in response.json()["detail"]
    assert (await client.get(response.headers["location"])).json()["status"] == "failed"


@pytest.mark.usefixtures("idle_worker")
@pytest.mark.parametrize("query", ["wait=0.05&answer=result", "answer=result"])
async def test_a_job_that_has_not_ended_stands_in_for_its_result(client: httpx.AsyncClient, query: str) -> None:
    response = await client.post(f"/explain?{query}", json=row(), headers={"Accept": "application/x-npy"})
    assert response.status_code == 202
    assert response.json()["status"] == "queued"


@pytest.mark.usefixtures("idle_worker")
@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [("answer=result", {"Accept": "text/html"}, 406), ("answer=picture", {}, 422)],
)
async def test_what_cannot_be_answered_is_not_queued(
    client: httpx.AsyncClient, store: JobStore, query: str, headers: dict[str, Any], status: int
) -> None:
    response = await client.post(f"/explain?wait=1&{query}", json=picture(), headers=headers)
    assert response.status_code == status
    assert (await store.jobs.page())[0] == []
