"""`quality.png`: the picture of deletion and insertion curves."""

import io

import httpx
import pytest
from PIL import Image

from broker import JobStore
from service.openapi.examples import NUCLEI
from tests.service.conftest import finished
from tests.service.double import WorkerDouble
from tests.service.validation.refusals import row

pytestmark = pytest.mark.anyio
ASKED = {"quality": ["deletion_insertion"]}


def opened(response: httpx.Response) -> Image.Image:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "image/png"
    return Image.open(io.BytesIO(response.content), formats=("PNG",))


async def test_the_picture(client: httpx.AsyncClient, worker: WorkerDouble) -> None:
    job_id = await finished(client, row(input={"features": [NUCLEI, NUCLEI]}, **ASKED))
    job = (await client.get(f"/jobs/{job_id}")).json()
    url = job["links"]["quality"]
    assert url == f"/jobs/{job_id}/quality.png"
    english = await client.get(url)
    assert opened(english).width == 720
    spanish = await client.get(url, headers={"Accept-Language": "es"})
    assert english.headers["vary"] == "Accept-Language"
    small = await client.get(url, params={"size": 400})
    assert opened(small).width == 400
    second = await client.get(url, params={"example": 1})
    assert len({english.content, spanish.content, small.content, second.content}) == 4
    result = (await client.get(f"/jobs/{job_id}/result")).json()
    assert len(result["quality"]["deletion_insertion"]["examples"]) == 2


async def test_the_picture_is_cacheable(client: httpx.AsyncClient, worker: WorkerDouble) -> None:
    url = f"/jobs/{await finished(client, row(**ASKED))}/quality.png"
    first = await client.get(url)
    tag = {"If-None-Match": first.headers["etag"]}
    assert (await client.get(url, headers=tag)).status_code == 304
    assert (await client.get(url, headers={**tag, "Accept-Language": "es"})).status_code == 200


async def test_no_curves(client: httpx.AsyncClient, worker: WorkerDouble) -> None:
    job_id = await finished(client, row())
    assert (await client.get(f"/jobs/{job_id}")).json()["links"]["quality"] is None
    response = await client.get(f"/jobs/{job_id}/quality.png")
    assert response.status_code == 404
    assert response.json()["type"].endswith("metric-not-found")
    assert "deletion_insertion" in response.json()["detail"]


@pytest.mark.parametrize("query", ["example=1", "example=64", "size=63", "size=4096", "colour=red"])
async def test_refused_options(client: httpx.AsyncClient, worker: WorkerDouble, query: str) -> None:
    response = await client.get(f"/jobs/{await finished(client, row(**ASKED))}/quality.png?{query}")
    assert response.status_code == 422
    assert response.json()["errors"][0]["loc"] == ["query", query.partition("=")[0]]


async def test_a_queued_job_has_no_curves_yet(
    client: httpx.AsyncClient, store: JobStore, idle_worker: WorkerDouble
) -> None:
    accepted = await client.post("/explain", json=row(**ASKED))
    response = await client.get(accepted.json()["links"]["quality"])
    assert response.status_code == 409
