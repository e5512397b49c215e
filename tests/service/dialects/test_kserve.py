"""KServe's v1 protocol: bodies as its client sends them, and what it reads."""

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
from tests.service.validation.refusals import bomb, encoded, image_bytes

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("worker")]
ROW = list(NUCLEI.values())
TABLE, PICTURES, TEXTS = "breast-cancer-mlp", "efficientnet-lite0", "minilm-sentiment"


async def explained(client: httpx.AsyncClient, model: str, instances: Any, **more: Any) -> list[Any]:
    answer = await client.post(f"/v1/models/{model}:explain", json={"instances": instances, **more})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    document = answer.json()
    assert set(document) == {"predictions", "explanations"}
    assert len(document["predictions"]) == len(document["explanations"]) == len(instances)
    explanations: list[Any] = document["explanations"]
    return explanations


async def test_whether_a_model_is_ready(client: httpx.AsyncClient) -> None:
    assert (await client.get(f"/v1/models/{TABLE}")).json() == {"name": TABLE, "ready": True}
    assert (await client.get("/", headers={"Accept": "application/json"})).json() == {"status": "alive"}
    for name, status in (("nobody", 404), ("broken", 503), ("%00", 404), ("a" * 200, 404)):
        answer = await client.get(f"/v1/models/{name}")
        assert (answer.status_code, set(answer.json())) == (status, {"error"})
        assert answer.headers["content-type"] == "application/json", "exactly, or its client does not read the error"


async def test_rows_of_a_table(client: httpx.AsyncClient) -> None:
    """A list of numbers is explained by one, a row by name by an object."""
    by_place, by_name = await explained(client, TABLE, [ROW, NUCLEI], parameters={"n_steps": 9, "target": [0, 1]})
    np.testing.assert_allclose(by_place, ROW, rtol=1e-6)
    assert by_name == pytest.approx(NUCLEI)
    inputs = await client.post(f"/v1/models/{TABLE}:explain", json={"inputs": [ROW]})
    assert inputs.json()["explanations"] == [by_place]


@pytest.mark.parametrize(
    "instance",
    [
        TINY_PNG,
        f"data:image/png;base64,{TINY_PNG}",
        {"b64": TINY_PNG},
        {"image_bytes": {"b64": TINY_PNG}},
        {"image": {"b64": TINY_PNG}},
        {"data": TINY_PNG, "target": 3},
    ],
)
async def test_pictures_in_each_wrapping(client: httpx.AsyncClient, instance: Any) -> None:
    (explanation,) = await explained(client, PICTURES, [instance], parameters={"method": "saliency"})
    assert np.array(explanation).shape == (3, 224, 224)


async def test_texts_with_targets_of_their_own(client: httpx.AsyncClient, store: JobStore) -> None:
    instances = [{"data": "so very good", "target": 1}, {"text": "bad"}, "not bad"]
    first, second, _ = await explained(client, TEXTS, instances)
    assert first == {"words": ["so", "very", "good"], "importances": [2.0, 4.0, 4.0], "delta": None}
    assert second["words"] == ["bad"]
    jobs, _ = await store.jobs.page()
    assert [job.spec.target for job in jobs[::-1]] == [[1], None, None]


async def test_nested_numbers(client: httpx.AsyncClient, store: JobStore) -> None:
    grid = np.arange(32.0).reshape(2, 4, 4)
    assert await explained(client, "maps", [grid.tolist(), (grid + 1).tolist()], parameters={"target": 0}) == [
        grid.tolist(),
        (grid + 1).tolist(),
    ]
    assert len((await store.jobs.page())[0]) == 1, "one job holds both"
    pairs = await explained(client, "two-tensors", [{"tensors": [[1, 2, 3], [4, 5, 6]]}, {"tensors": [[0] * 3] * 2}])
    assert pairs[0] == {"input.0": [1.0, 2.0, 3.0], "input.1": [4.0, 5.0, 6.0]}


async def test_a_batch_equals_singles(client: httpx.AsyncClient, store: JobStore) -> None:
    rows = [[value + index for value in ROW] for index in range(64)]
    together = await explained(client, TABLE, rows)
    assert len((await store.jobs.page())[0]) == 1
    assert [together[k] for k in (0, 63)] == [(await explained(client, TABLE, [rows[k]]))[0] for k in (0, 63)]
    sizes = [encoded(image_bytes("PNG", (16, 16 + k))) for k in (0, 8)]
    mixed = await explained(client, PICTURES, sizes)
    assert mixed == [(await explained(client, PICTURES, [one]))[0] for one in sizes]


async def test_compressed(client: httpx.AsyncClient) -> None:
    body = gzip.compress(json.dumps({"instances": [ROW]}).encode())
    answer = await client.post(f"/v1/models/{TABLE}:explain", content=body, headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 200
    huge = gzip.compress(b"[" * (16 << 20))
    answer = await client.post(f"/v1/models/{TABLE}:explain", content=huge, headers={"Content-Encoding": "gzip"})
    assert (answer.status_code, set(answer.json())) == (413, {"error"})


NESTED: Any = 1
for _ in range(150):
    NESTED = [NESTED]


@pytest.mark.parametrize(
    ("model", "body"),
    [
        (TABLE, []),
        (TABLE, {}),
        (TABLE, {"instances": []}),
        (TABLE, {"instances": {"0": ROW}}),
        (TABLE, {"instances": [ROW], "inputs": [ROW]}),
        (TABLE, {"instances": [ROW], "signature_name": "x"}),
        (TABLE, {"instances": [ROW] * 65}),
        (TABLE, {"instances": [ROW[:3]]}),
        (TABLE, {"instances": [[*ROW[:29], None]]}),
        (TABLE, {"instances": [[*ROW[:29], ROW]]}),
        (TABLE, {"instances": [NESTED]}),
        (TABLE, {"instances": [None]}),
        (TABLE, {"instances": ["a row"]}),
        (TABLE, {"instances": [NUCLEI | {"more": 1}]}),
        (TABLE, {"instances": [{"data": {"data": {"data": {"data": ROW}}}}]}),
        (TABLE, {"instances": [{"data": ROW, "target": {"a": 1}}]}),
        (TABLE, {"instances": [ROW], "parameters": {"method": {"name": "saliency", "deep": NESTED}}}),
        (TEXTS, {"instances": ["x" * 30_000]}),
        (TEXTS, {"instances": [{"text": 3}]}),
        (TEXTS, {"instances": ["it must fail"]}),
        (PICTURES, {"instances": ["/etc/passwd"]}),
        (PICTURES, {"instances": [{"b64": "AAAA"}]}),
        (PICTURES, {"instances": [{"b64": encoded(bomb(60_000, 60_000))}]}),
        (PICTURES, {"instances": [[[1, 2], [3]]]}),
        ("maps", {"instances": [NESTED]}),
        ("maps", {"instances": [[]]}),
        ("maps", {"instances": [[1] * 2000]}),
        ("two-tensors", {"instances": [{"tensors": [[1, 2, 3]] * 40}]}),
    ],
)
async def test_refused(client: httpx.AsyncClient, model: str, body: Any) -> None:
    answer = await client.post(f"/v1/models/{model}:explain", json=body)
    assert (answer.status_code, list(answer.json())) == (400, ["error"]), answer.text
    assert answer.headers["content-type"] == "application/json"


async def test_the_place_of_an_error_is_the_clients(client: httpx.AsyncClient) -> None:
    bad = [ROW, [*ROW[:29], "x"], ROW]
    answer = await client.post(f"/v1/models/{TABLE}:explain", json={"instances": bad})
    assert answer.json()["error"].startswith("instances.1.worst fractal dimension: ")
    picture = await client.post(f"/v1/models/{PICTURES}:explain", json={"instances": [TINY_PNG, "AAAA"]})
    assert picture.json()["error"].startswith("instances.1: ")


async def test_the_wait_is_over(store: JobStore, worker: WorkerDouble) -> None:
    worker.gate.clear()
    body = {"instances": ["one", "two"]}
    async with client_of(store, SETTINGS.model_copy(update={"max_wait_s": 0.05})) as hasty:
        answer = await hasty.post(f"/v1/models/{TEXTS}:explain", json=body)
    assert (answer.status_code, list(answer.json())) == (504, ["error"])
    assert answer.headers["location"].startswith("/jobs/")
