"""TorchServe's explanations: what its documented curl calls send, and what they get."""

import base64
import gzip
import json
from typing import Any

import httpx
import numpy as np
import pytest

from broker import JobStore
from service.openapi.examples import NUCLEI, TINY_PNG
from tests.service.conftest import SETTINGS, client_of
from tests.service.double import WorkerDouble

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("worker")]
ROW = list(NUCLEI.values())
PNG = base64.b64decode(TINY_PNG)
TABLE, PICTURES, TEXTS = "breast-cancer-mlp", "efficientnet-lite0", "minilm-sentiment"
CURL = {"Content-Type": "application/x-www-form-urlencoded"}  # what `curl --data-binary` says of any body


async def explained(client: httpx.AsyncClient, model: str, method: str = "POST", **sent: Any) -> Any:
    answer = await client.request(method, f"/explanations/{model}", **sent)
    assert answer.status_code == 200, answer.text
    assert answer.headers["location"].startswith("/jobs/")
    return answer.json()


@pytest.mark.parametrize("version", ["", "/1"])
async def test_a_picture_by_put_and_post(client: httpx.AsyncClient, version: str) -> None:
    """`curl -T 0.png`, `curl --data-binary @0.png`, `curl -F data=@0.png`: nested numbers (C, H, W)."""
    answers = [
        await explained(client, PICTURES + version, "PUT", content=PNG),
        await explained(client, PICTURES + version, "POST", content=PNG, headers=CURL),
        await explained(client, PICTURES + version, files={"data": ("0.png", PNG, "image/png")}),
        await explained(client, PICTURES + version, json={"data": TINY_PNG}),
        await explained(client, PICTURES + version, content=gzip.compress(PNG), headers={"Content-Encoding": "gzip"}),
    ]
    assert np.array(answers[0]).shape == (3, 224, 224)
    assert all(one == answers[0] for one in answers)


async def test_texts(client: httpx.AsyncClient, store: JobStore) -> None:
    expected = [{"words": ["so", "good"], "importances": [2.0, 4.0], "delta": None}]
    for sent in (
        {"content": b"so good", "headers": CURL},
        {"json": {"text": "so good", "target": 1}},
        {"content": json.dumps({"data": "so good", "target": 1}).encode()},
        {"files": {"data": (None, "so good"), "target": (None, "1")}},
        {"files": {"data": ("a.txt", b"so good"), "target": (None, "positive")}},
    ):
        assert await explained(client, TEXTS, **sent) == expected
    assert [job.spec.target for job in (await store.jobs.page())[0]][::-1] == [None, [1], [1], [1], [1]]


async def test_rows_and_tensors(client: httpx.AsyncClient, store: JobStore) -> None:
    np.testing.assert_allclose(await explained(client, TABLE, content=json.dumps(ROW)), ROW, rtol=1e-6)
    assert await explained(client, TABLE, json=NUCLEI) == pytest.approx(NUCLEI)
    grid = np.arange(32.0).reshape(2, 4, 4).tolist()
    form = {"data": (None, json.dumps(grid)), "target": (None, "0"), "method": (None, "saliency")}
    assert await explained(client, "maps", files=form) == grid
    steps = {"data": (None, json.dumps(ROW)), "n_steps": (None, "7")}
    await explained(client, TABLE, files=steps)
    assert (await store.jobs.page())[0][0].spec.method["n_steps"] == 7


@pytest.mark.parametrize(
    ("model", "sent"),
    [
        (TABLE, {"content": b""}),
        (TABLE, {"content": b"[" * 300}),
        (TABLE, {"content": b"\xff\xfe"}),
        (TABLE, {"json": ROW[:2]}),
        (TABLE, {"files": {"target": (None, "1")}}),
        (TABLE, {"files": {"data": (None, json.dumps(ROW)), "target": (None, "9")}}),
        (TABLE, {"files": {"data": (None, json.dumps(ROW)), "n_stepz": (None, "9")}}),
        (TABLE, {"files": [("data", (None, "1")), ("body", (None, "2"))]}),
        (TABLE, {"content": b"x", "headers": {"Content-Type": "multipart/form-data"}}),
        (TEXTS, {"content": b"\xff\xfe"}),
        (TEXTS, {"content": b" "}),
        (TEXTS, {"content": b"it must fail"}),
        (TEXTS, {"content": b"{broken"}),
        (PICTURES, {"content": b"not a picture"}),
        (PICTURES, {"content": b""}),
        (PICTURES, {"files": {"data": ("x", b"")}}),
    ],
)
async def test_refused(client: httpx.AsyncClient, model: str, sent: dict[str, Any]) -> None:
    answer = await client.post(f"/explanations/{model}", **sent)
    error = answer.json()
    assert (answer.status_code, error["code"], error["type"]) == (400, 400, "BadRequestException"), answer.text
    assert set(error) == {"code", "type", "message"}


async def test_errors_of_every_layer(client: httpx.AsyncClient, store: JobStore, worker: WorkerDouble) -> None:
    missing = await client.put("/explanations/nobody", content=b"x")
    version = await client.put(f"/explanations/{TABLE}/9", content=b"x")
    wrong = await client.delete(f"/explanations/{TABLE}")
    huge = await client.put(f"/explanations/{TABLE}", content=b"", headers={"Content-Length": "9" * 12})
    worker.gate.clear()
    async with client_of(store, SETTINGS.model_copy(update={"max_wait_s": 0.05})) as hasty:
        late = await hasty.put(f"/explanations/{TEXTS}", content=b"good")
    answers = [missing, version, wrong, huge, late]
    assert [one.json()["code"] for one in answers] == [404, 404, 405, 413, 504]
    assert [one.json()["type"] for one in answers[:2]] == ["ModelNotFoundException"] * 2
    assert late.headers["location"].startswith("/jobs/")


@pytest.mark.parametrize(
    ("model", "sent"),
    [
        (PICTURES, {"data": TINY_PNG, "method": "saliency"}),
        (PICTURES, {"image": {"b64": TINY_PNG, "n_steps": 5}}),
        (TEXTS, {"text": "so good", "seed": 1}),
    ],
)
async def test_options_in_a_body_of_json_are_named_as_the_mistake(
    client: httpx.AsyncClient, model: str, sent: Any
) -> None:
    answer = await client.post(f"/explanations/{model}", json=sent)
    assert answer.status_code == 400
    assert "an object may hold 'target' alone" in answer.json()["message"]
