"""`/jobs/{id}/path` and `path.webp`, and the map at one point of the path."""

import io
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load

from schemas.limits import MAX_FRAMES
from tests.service.conftest import finished
from tests.service.validation.refusals import picture, row, tensor

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("worker")]
FRAMES = 4
WANTED: dict[str, Any] = {"method": {"name": "integrated_gradients", "frames": FRAMES}}


async def test_the_points_and_their_maps(client: httpx.AsyncClient) -> None:
    job_id = await finished(client, picture(**WANTED))
    links = (await client.get(f"/jobs/{job_id}")).json()["links"]
    assert links["path"] == f"/jobs/{job_id}/path"
    points = await client.get(links["path"])
    assert points.status_code == 200
    assert points.json()["examples"][0]["alphas"] == [0.25, 0.5, 0.75, 1.0]
    assert points.json()["attributions"][0]["name"] == "path.input"
    again = await client.get(links["path"], headers={"If-None-Match": points.headers["etag"]})
    assert again.status_code == 304
    result = await client.get(links["result"])
    assert result.json()["path"] == points.json()
    assert [one["name"] for one in result.json()["attributions"]] == ["input"]
    npy = await client.get(links["result"], params={"tensor": "path.input"}, headers={"Accept": "application/x-npy"})
    blob = load((await client.get(links["result"], headers={"Accept": "application/vnd.safetensors"})).content)
    maps = np.load(io.BytesIO(npy.content))
    np.testing.assert_array_equal(maps, blob["path.input"])
    np.testing.assert_allclose(maps[:, -1], blob["input"])


async def test_the_animation(client: httpx.AsyncClient) -> None:
    url = f"/jobs/{await finished(client, picture(**WANTED))}/path.webp"
    english = await client.get(url)
    assert english.status_code == 200, english.text
    assert english.headers["content-type"] == "image/webp"
    with Image.open(io.BytesIO(english.content), formats=("WEBP",)) as image:
        assert getattr(image, "n_frames", 1) == FRAMES + 1
    spanish = await client.get(url, params={"lang": "es"})
    assert spanish.content == (await client.get(url, headers={"Accept-Language": "es"})).content
    assert spanish.content != english.content
    assert (await client.get(url, headers={"If-None-Match": english.headers["etag"]})).status_code == 304


async def test_a_map_of_a_tensor_is_animated_alone(client: httpx.AsyncClient) -> None:
    body = tensor([1, 2, 4, 4], [1.0] * 32, **WANTED)
    response = await client.get(f"/jobs/{await finished(client, body)}/path.webp", params={"size": 64})
    assert response.status_code == 200, response.text


async def test_columns_have_a_path_but_no_animation(client: httpx.AsyncClient) -> None:
    job_id = await finished(client, row(**WANTED))
    assert len((await client.get(f"/jobs/{job_id}/path")).json()["examples"][0]["alphas"]) == FRAMES
    response = await client.get(f"/jobs/{job_id}/path.webp")
    assert response.status_code == 406
    assert "/path has the numbers" in response.json()["detail"]


async def test_the_map_at_one_point(client: httpx.AsyncClient) -> None:
    url = f"/jobs/{await finished(client, picture(**WANTED))}/overlay.png"
    whole = await client.get(url, params={"caption": "false", "style": "heatmap"})
    drawn = [
        (await client.get(url, params={"frame": k, "caption": "false", "style": "heatmap"})).content
        for k in range(FRAMES)
    ]
    assert drawn[-1] == whole.content  # the same map, on the same scale
    brightness = [np.asarray(Image.open(io.BytesIO(png))).mean() for png in drawn]
    assert brightness == sorted(brightness)
    assert brightness[0] < brightness[-1]
    beyond = await client.get(url, params={"frame": FRAMES})
    assert beyond.status_code == 422
    assert beyond.json()["errors"][0]["loc"] == ["query", "frame"]


async def test_a_result_without_frames_has_no_path(client: httpx.AsyncClient) -> None:
    job_id = await finished(client, picture(method="integrated_gradients"))
    assert "path" not in (await client.get(f"/jobs/{job_id}")).json()["links"]
    assert "path" not in (await client.get(f"/jobs/{job_id}/result")).json()
    for path in ("path", "path.webp", "overlay.png?frame=0"):
        response = await client.get(f"/jobs/{job_id}/{path}")
        assert response.status_code == 404, path
        assert response.json()["type"].endswith("path-not-found")


@pytest.mark.parametrize("query", ["size=513", "frame_ms=1", "example=1", "style=blend", "colour=red", "lang=fr"])
async def test_refused_options(client: httpx.AsyncClient, query: str) -> None:
    response = await client.get(f"/jobs/{await finished(client, picture(**WANTED))}/path.webp?{query}")
    assert response.status_code == 422
    assert response.json()["errors"][0]["loc"] == ["query", query.partition("=")[0]]


@pytest.mark.parametrize("frames", [-1, MAX_FRAMES + 1, 2.5])
async def test_refused_frames(client: httpx.AsyncClient, frames: float) -> None:
    body = picture(method={"name": "integrated_gradients", "frames": frames})
    response = await client.post("/explain", json=body)
    assert response.status_code == 422
    assert response.json()["errors"][0]["loc"][:2] == ["method", "frames"]


async def test_frames_of_other_methods_are_refused(client: httpx.AsyncClient) -> None:
    response = await client.post("/explain", json=picture(method={"name": "saliency", "frames": 3}))
    assert response.status_code == 422
