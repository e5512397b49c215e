"""Several pictures in one request, each an example."""

import base64
import io
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load

from broker import JobStore
from schemas.limits import MAX_EXAMPLES
from service.settings import MIN_DECODE_BYTES, GatewaySettings
from tests.service.conftest import client_of, finished

pytestmark = pytest.mark.anyio
COLORS = [(250, 0, 0), (0, 250, 0), (0, 0, 250)]


def encoded(color: tuple[int, int, int], size: tuple[int, int] = (300, 200)) -> str:
    stream = io.BytesIO()
    Image.new("RGB", size, color).save(stream, "PNG", compress_level=1)
    return base64.b64encode(stream.getvalue()).decode()


def body(pictures: Any, **more: Any) -> dict[str, Any]:
    return {"model": "efficientnet-lite0", "input": {"image": pictures}, "method": "saliency", **more}


@pytest.mark.usefixtures("idle_worker")
async def test_each_is_an_example(client: httpx.AsyncClient, store: JobStore) -> None:
    answer = await client.post("/explain", json=body([encoded(color) for color in COLORS], target=[1, 2, 3]))
    assert answer.status_code == 202, answer.text
    record = await store.jobs.get(answer.json()["id"])
    assert (record.spec.examples, record.spec.target) == (3, [1, 2, 3])
    pixels = load(await store.jobs.payload(record.id))["pixels"]
    assert pixels.shape == (3, 224, 224, 3)
    assert [tuple(one[112, 112]) for one in pixels] == COLORS
    one = await store.jobs.get((await client.post("/explain", json=body([encoded(COLORS[0])]))).json()["id"])
    assert one.spec.examples == 1


@pytest.mark.usefixtures("idle_worker")
@pytest.mark.parametrize(
    ("pictures", "loc", "message"),
    [
        ([encoded(COLORS[0]), encoded(COLORS[1], (200, 300))], ["input", "image", 1], "several requests"),
        ([encoded(COLORS[0]), "AAAA"], ["input", "image", 1], "not a PNG"),
        ([encoded(COLORS[0]), "?!"], ["input", "image", 1], "base64"),
        ([encoded(COLORS[0]), 3], ["input", "image", 1], "base64"),
        ([], ["input", "image"], "at least 1"),
        ([encoded(COLORS[0])] * (MAX_EXAMPLES + 1), ["input", "image"], f"at most {MAX_EXAMPLES}"),
        ([encoded(COLORS[0], (2000, 1000))] * 21, ["input", "image"], "several requests"),
        (3, ["input", "image"], "base64"),
    ],
)
async def test_refused(client: httpx.AsyncClient, pictures: Any, loc: list[Any], message: str) -> None:
    answer = await client.post("/explain", json=body(pictures))
    assert answer.status_code == 422, answer.text
    (error,) = answer.json()["errors"]
    assert error["loc"] == loc
    assert message in error["msg"]


@pytest.mark.usefixtures("idle_worker")
async def test_the_memory_of_the_largest_is_reserved_whatever_stands_beside_it(store: JobStore) -> None:
    large = encoded(COLORS[0], (6000, 6000))
    settings = GatewaySettings(decode_bytes=MIN_DECODE_BYTES)
    async with client_of(store, settings) as client:
        for pictures in ([large, "?!"], ["?!", large], [encoded(COLORS[0]), large]):
            answer = await client.post("/explain", json=body(pictures))
            assert answer.status_code == 422, answer.text
            assert "ATTRIBUTION_DECODE_BYTES" in answer.json()["errors"][0]["msg"]


@pytest.mark.usefixtures("worker")
async def test_the_overlay_shows_the_example(client: httpx.AsyncClient) -> None:
    job = await finished(client, body([encoded(color) for color in COLORS], target=[1, 2, 3]))
    for example, color in enumerate(COLORS):
        options = {"alpha": 0, "caption": "false", "example": example}
        overlay = await client.get(f"/jobs/{job}/overlay.png", params=options)
        with Image.open(io.BytesIO(overlay.content)) as drawing:
            assert np.asarray(drawing)[50, 50].tolist() == list(color)
    assert (await client.get(f"/jobs/{job}/overlay.png", params={"example": 3})).status_code == 422


@pytest.mark.usefixtures("worker")
async def test_several_texts(client: httpx.AsyncClient, store: JobStore) -> None:
    texts = ["a good film", "an ugly end"]
    job = await finished(client, {"model": "minilm-sentiment", "input": {"text": texts}, "method": "saliency"})
    payload = load(await store.jobs.payload(job))
    assert [payload[f"text.{index}"].tobytes().decode() for index in range(2)] == texts
    result = (await client.get(f"/jobs/{job}/result")).json()
    assert [[word["text"] for word in row] for row in result["words"]] == [text.split() for text in texts]
    for accept, path in (("image/png", "overlay.png"), ("text/html", "result")):
        shown = await client.get(f"/jobs/{job}/{path}", params={"example": 1}, headers={"Accept": accept})
        assert shown.status_code == 200, shown.text
    assert b"ugly" in shown.content
    blank = {"model": "minilm-sentiment", "input": {"text": ["a", " "]}, "method": "saliency"}
    refused = await client.post("/explain", json=blank)
    assert refused.json()["errors"] == [{"loc": ["input", "text", 1], "msg": "the text is blank"}]
