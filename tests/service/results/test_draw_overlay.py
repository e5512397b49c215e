"""`overlay.png`: each kind of input gets its picture, drawn anew for each option."""

import io

import httpx
import numpy as np
import pytest
from PIL import Image

from service.openapi.examples import NUCLEI
from tests.service.conftest import finished
from tests.service.validation.refusals import picture, row, tensor, text

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("worker")]


def opened(response: httpx.Response) -> Image.Image:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "image/png"
    image = Image.open(io.BytesIO(response.content))
    image.load()
    assert image.format == "PNG"
    return image


async def test_picture(client: httpx.AsyncClient) -> None:
    url = f"/jobs/{await finished(client, picture())}/overlay.png"
    blend = opened(await client.get(url, params={"size": 128, "caption": "false"}))
    assert blend.size == (128, 128)
    styles = {
        (await client.get(url, params={"size": 128, "style": style})).content
        for style in ("blend", "heatmap", "masked", "side_by_side")
    }
    assert len(styles) == 4
    signed = await client.get(url, params={"sign": "all", "colormap": "coolwarm", "percentile": 95, "alpha": 0.5})
    assert opened(signed).width == 512
    assert opened(signed).height > 560  # with its colour bar and caption


async def test_by_accept(client: httpx.AsyncClient) -> None:
    job_id = await finished(client, picture())
    by_accept = await client.get(f"/jobs/{job_id}/result", headers={"Accept": "image/png"})
    assert by_accept.content == (await client.get(f"/jobs/{job_id}/overlay.png")).content
    assert by_accept.headers["vary"] == "Accept, Accept-Language"


async def test_tensor_maps_are_drawn_alone(client: httpx.AsyncClient) -> None:
    url = f"/jobs/{await finished(client, tensor([2, 2, 4, 4], [1.0] * 32 + [-1.0] * 16 + [2.0] * 16))}/overlay.png"
    first, second = [opened(await client.get(url, params={"example": index})) for index in (0, 1)]
    assert np.asarray(first).shape == np.asarray(second).shape
    assert first.tobytes() != second.tobytes()
    none = await client.get(url, params={"example": 2})
    assert none.status_code == 422
    assert none.json()["errors"][0]["loc"] == ["query", "example"]


async def test_words(client: httpx.AsyncClient) -> None:
    url = f"/jobs/{await finished(client, text(input={'text': 'what a lovely film'}))}/overlay.png"
    english = await client.get(url)
    assert opened(english).width == 720
    spanish = await client.get(url, headers={"Accept-Language": "es"})
    assert spanish.content != english.content
    assert opened(await client.get(url, params={"size": 400})).width == 400


async def test_columns(client: httpx.AsyncClient) -> None:
    other = {name: value * 2 for name, value in NUCLEI.items()}
    url = f"/jobs/{await finished(client, row(input={'features': [NUCLEI, other]}))}/overlay.png"
    first = opened(await client.get(url))
    second = opened(await client.get(url, params={"example": 1}))
    assert first.tobytes() != second.tobytes()


async def test_no_picture(client: httpx.AsyncClient) -> None:
    response = await client.get(f"/jobs/{await finished(client, tensor([1, 3], [1, 2, 3], 'integers'))}/overlay.png")
    assert response.status_code == 406
    assert response.json()["type"].endswith("not-acceptable")


@pytest.mark.parametrize(
    "query",
    [
        "style=fancy",
        "sign=both",
        "colormap=nothing",
        "alpha=2",
        "alpha=nan",
        "percentile=1",
        "size=100000",
        "colour=red",
        "example=-1",
    ],
)
async def test_refused_options(client: httpx.AsyncClient, query: str) -> None:
    response = await client.get(f"/jobs/whichever/overlay.png?{query}")
    assert response.status_code == 422
    assert response.json()["errors"][0]["loc"] == ["query", query.partition("=")[0]]


async def test_overlays_are_cacheable(client: httpx.AsyncClient) -> None:
    url = f"/jobs/{await finished(client, picture())}/overlay.png"
    first = await client.get(url)
    tag = {"If-None-Match": first.headers["etag"]}
    assert (await client.get(url, headers=tag)).status_code == 304
    assert (await client.get(f"{url}?style=masked", headers=tag)).status_code == 200
