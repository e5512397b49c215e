"""What the page asks of results: JSON without numbers, and captions with letters of a size."""

import io

import httpx
import pytest
from PIL import Image

from tests.service.conftest import finished
from tests.service.validation.refusals import picture, row

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("worker")]


async def test_json_without_numbers(client: httpx.AsyncClient) -> None:
    url = f"/jobs/{await finished(client, row())}/result"
    whole, described = await client.get(url), await client.get(url, params={"numbers": "false"})
    assert described.headers["etag"] != whole.headers["etag"]
    document = whole.json()
    for tensor in document["attributions"]:
        assert tensor.pop("data")
    assert described.json() == document
    held = {"If-None-Match": described.headers["etag"]}
    assert (await client.get(url, params={"numbers": "false"}, headers=held)).status_code == 304


@pytest.mark.parametrize("accept", ["application/x-npy", "application/vnd.safetensors", "image/png"])
async def test_only_json_is_without_numbers(client: httpx.AsyncClient, accept: str) -> None:
    url = f"/jobs/{await finished(client, row())}/result"
    answer = await client.get(url, params={"numbers": "false"}, headers={"Accept": accept})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == ["query", "numbers"]


async def test_letters_of_a_size(client: httpx.AsyncClient) -> None:
    url = f"/jobs/{await finished(client, picture())}/overlay.png"

    async def height(text: int | None) -> int:
        answer = await client.get(url, params={"size": 400, **({} if text is None else {"text": text})})
        return Image.open(io.BytesIO(answer.content)).height

    assert await height(12) == await height(None)  # 400 / 32
    assert await height(24) > await height(12) + 24
    for text in (7, 129):
        assert (await client.get(url, params={"text": text})).status_code == 422
