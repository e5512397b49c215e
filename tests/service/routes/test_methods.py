"""`GET /methods` and `GET /methods/{name}`."""

import httpx
import pytest

from schemas.methods import METHOD_NAMES
from tests.service.double import WorkerDouble

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("header", "language", "idea"),
    [(None, "en", "Idea"), ("es-ES, en;q=0.5", "es", "Usa gradientes"), ("fr", "en", "Uses gradients")],
)
async def test_methods(client: httpx.AsyncClient, header: str | None, language: str, idea: str) -> None:
    response = await client.get("/methods", headers={"Accept-Language": header} if header else {})
    catalogue = response.json()
    assert response.headers["content-language"] == catalogue["language"] == language
    assert response.headers["vary"] == "Accept, Accept-Language, Accept-Encoding"
    assert [method["name"] for method in catalogue["methods"]] == list(METHOD_NAMES)
    assert idea in catalogue["columns"].values()
    one = await client.get("/methods/integrated_gradients", headers={"Accept-Language": language})
    assert one.headers["content-language"] == language
    assert one.json() == catalogue["methods"][2]
    assert one.json()["parameters"]["properties"]["n_steps"]["anyOf"][0]["maximum"] == 2000


@pytest.mark.parametrize("path", ["/methods", "/models"])
async def test_catalogues_are_compressed(client: httpx.AsyncClient, worker: WorkerDouble, path: str) -> None:
    plain = await client.get(path, headers={"Accept-Encoding": "identity"})
    small = await client.get(path, headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert small.headers["content-encoding"] == "gzip"
    assert int(small.headers["content-length"]) < len(plain.content) / 4
    assert small.json() == plain.json()  # the client has decompressed it


async def test_no_such_method(client: httpx.AsyncClient) -> None:
    response = await client.get("/methods/salency")
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert "did you mean 'saliency'?" in response.json()["detail"]
