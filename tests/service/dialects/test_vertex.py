"""Vertex AI's `:explain`: bodies as its generated transport sends them, and what its client reads."""

import base64
import io
import json
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load

from broker import JobStore
from schemas.models import DialectNames
from service.openapi.examples import NUCLEI, TINY_PNG
from tests.servers import StoreServer
from tests.service.cards import ALL_CARDS, table_card
from tests.service.conftest import SETTINGS, client_of
from tests.service.double import WorkerDouble

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("worker")]
ROW = list(NUCLEI.values())
TABLE, PICTURES, TEXTS = "breast-cancer-mlp", "efficientnet-lite0", "minilm-sentiment"
ENDPOINTS = "/v1/projects/mine/locations/europe-west4/endpoints"


@pytest.fixture
def idle_worker(store_server: StoreServer, namespace: str) -> Iterator[WorkerDouble]:
    """One whose table has an endpoint of its own."""
    named = table_card().model_copy(update={"dialects": DialectNames(vertex_endpoint="1234567890")})
    worker = WorkerDouble(store_server.url, namespace, [named if card.name == TABLE else card for card in ALL_CARDS])
    yield worker
    worker.stop()


def override(parameters: dict[str, Any] | None = None, **inputs: Any) -> dict[str, Any]:
    spec: dict[str, Any] = {"parameters": parameters or {}}
    return {"explanationSpecOverride": {**spec, "metadata": {"inputs": inputs}} if inputs else spec}


async def explained(client: httpx.AsyncClient, endpoint: str, *instances: Any, **more: Any) -> list[Any]:
    """The attributions of each instance."""
    url = f"{ENDPOINTS}/{endpoint}:explain?%24alt=json%3Benum-encoding%3Dint"
    answer = await client.post(url, json={"instances": list(instances), **more})
    assert answer.status_code == 200, answer.text
    document = answer.json()
    assert set(document) == {"explanations", "deployedModelId", "predictions"}
    assert len(document["explanations"]) == len(document["predictions"]) == len(instances)
    return [one["attributions"] for one in document["explanations"]]


@pytest.mark.parametrize("name", ["1234567890", TABLE])
async def test_an_endpoint_is_a_model(client: httpx.AsyncClient, name: str) -> None:
    assert (await client.get(f"{ENDPOINTS}/{name}")).json() == {
        "name": f"projects/mine/locations/europe-west4/endpoints/{name}",
        "displayName": TABLE,
        "deployedModels": [{"id": "1", "model": TABLE, "displayName": TABLE}],
    }
    ((attribution,),) = await explained(client, name, NUCLEI)
    assert attribution["featureAttributions"] == pytest.approx(NUCLEI)
    assert (attribution["outputIndex"], attribution["outputDisplayName"]) == ([0], "malignant")


async def test_steps_and_paths(client: httpx.AsyncClient, store: JobStore) -> None:
    noise = {"stepCount": 5, "smoothGradConfig": {"noiseSigma": 0.5, "noisySampleCount": 3}}
    for parameters in (
        {"integratedGradientsAttribution": {"stepCount": 20}},
        {"sampledShapleyAttribution": {"pathCount": 12}},
        {"integratedGradientsAttribution": noise},
    ):
        await explained(client, TABLE, ROW, **override(parameters))
    methods = [job.spec.method for job in (await store.jobs.page())[0]][::-1]
    assert [method["name"] for method in methods] == [
        "integrated_gradients",
        "shapley_value_sampling",
        "smooth_grad",
    ]
    assert (methods[0]["n_steps"], methods[1]["n_samples"]) == (20, 12)
    assert [methods[2][name] for name in ("attribution_method", "n_steps", "stdevs", "nt_samples")] == [
        "integrated_gradients",
        5,
        0.5,
        3,
    ]


async def test_outputs_by_index(client: httpx.AsyncClient) -> None:
    rows = await explained(client, TABLE, ROW, ROW, **override({"outputIndices": [1, 0.0]}))
    assert [[one["outputIndex"] for one in row] for row in rows] == [[[1], [0]], [[1], [0]]]
    assert [one["outputDisplayName"] for one in rows[0]] == ["benign", "malignant"]


async def test_baselines_are_in_the_tables_own_units(client: httpx.AsyncClient, store: JobStore) -> None:
    await explained(client, TABLE, ROW, **override(None, **{"mean radius": {"inputBaselines": [14.1407 + 3.596887]}}))
    job = (await store.jobs.page())[0][0]
    assert job.spec.method["name"] == "integrated_gradients"
    (baseline,) = job.spec.method["baseline"]["tensor"]["shape"][1:]
    assert baseline == 30
    np.testing.assert_allclose(load(await store.jobs.payload(job.id))["baseline.0"], [[1.0] + [0.0] * 29], atol=1e-6)


async def test_a_picture_is_drawn(client: httpx.AsyncClient) -> None:
    look = {"type": "PIXELS", "polarity": "BOTH", "clipPercentUpperbound": 99.5, "overlayType": "ORIGINAL"}
    numbers = await explained(client, PICTURES, {"b64": TINY_PNG})
    assert np.array(numbers[0][0]["featureAttributions"]["input"]).shape == (3, 224, 224)
    drawn = await explained(client, PICTURES, {"b64": TINY_PNG}, **override(None, image={"visualization": look}))
    with Image.open(io.BytesIO(base64.b64decode(drawn[0][0]["featureAttributions"]["image"]["b64_jpeg"]))) as picture:
        assert (picture.format, picture.size) == ("JPEG", (224, 224))
        assert len(np.unique(np.asarray(picture))) > 10
    other = {**look, "overlayType": "NONE"}
    again = await explained(client, PICTURES, {"b64": TINY_PNG}, **override(None, image={"visualization": other}))
    assert again[0][0]["featureAttributions"] != drawn[0][0]["featureAttributions"]


async def test_texts(client: httpx.AsyncClient) -> None:
    first, second = await explained(client, TEXTS, {"content": "so good"}, "bad")
    assert first[0]["featureAttributions"] == {"words": ["so", "good"], "importances": [2.0, 4.0]}
    assert second[0]["featureAttributions"]["words"] == ["bad"]


async def test_a_batch_equals_singles(client: httpx.AsyncClient, store: JobStore) -> None:
    rows = [[value + index for value in ROW] for index in range(64)]
    together = await explained(client, TABLE, *rows)
    assert len((await store.jobs.page())[0]) == 1
    assert [together[k] for k in (0, 63)] == [(await explained(client, TABLE, rows[k]))[0] for k in (0, 63)]


REFUSED: list[tuple[str, dict[str, Any]]] = [
    (TABLE, {}),
    (TABLE, {"instances": []}),
    (TABLE, {"instances": [ROW], "more": 1}),
    (TABLE, {"instances": [ROW], "deployedModelId": 7}),
    (TABLE, {"instances": [ROW], "explanationSpecOverride": []}),
    (TABLE, {"instances": [ROW], "explanationSpecOverride": {"parameter": {}}}),
    (TABLE, {"instances": [ROW], "explanationSpecOverride": {"metadata": {"inputs": [1]}}}),
    (TABLE, {"instances": [ROW], "explanationSpecOverride": {"metadata": {"inputs": {"a": {"inputBaselines": [1]}}}}}),
    (TABLE, {"instances": [ROW] * 33, **override({"topK": 2})}),
    (TABLE, {"instances": [ROW], **override({"topK": 0})}),
    (TABLE, {"instances": [ROW], **override({"topK": True})}),
    (PICTURES, {"instances": [TINY_PNG], **override({"topK": -1})}),
    ("maps", {"instances": [[[[1] * 4] * 4] * 2], **override({"topK": 2})}),
    (TABLE, {"instances": [ROW], **override({"outputIndices": []})}),
    (TABLE, {"instances": [ROW], **override({"outputIndices": [-1]})}),
    (TABLE, {"instances": [ROW], **override({"outputIndices": [7]})}),
    (TABLE, {"instances": [ROW], **override({"outputIndices": [[0]]})}),
    (TABLE, {"instances": [ROW], **override({"outputIndices": list(range(9000))})}),
    (TABLE, {"instances": [ROW], **override({"xraiAttribution": {"stepCount": 3}})}),
    (TABLE, {"instances": [ROW], **override({"integratedGradientsAttribution": {"stepCount": 0}})}),
    (TABLE, {"instances": [ROW], **override({"integratedGradientsAttribution": {"stepCount": 10**9}})}),
    (TABLE, {"instances": [ROW], **override({"integratedGradientsAttribution": {"steps": 3}})}),
    (TABLE, {"instances": [ROW], **override({"integratedGradientsAttribution": {}, "sampledShapleyAttribution": {}})}),
    (TABLE, {"instances": [ROW], **override(None, a={"visualization": {}})}),
    (PICTURES, {"instances": [TINY_PNG], **override(None, a={"visualization": {"type": "OUTLINES"}})}),
    (PICTURES, {"instances": [TINY_PNG], **override(None, a={"visualization": {"clipPercentUpperbound": 1e400}})}),
    (PICTURES, {"instances": [TINY_PNG], **override(None, a={"visualization": {"polarity": {"a": 1}}})}),
    (TEXTS, {"instances": ["it must fail"]}),
]


@pytest.mark.parametrize(("model", "body"), REFUSED)
async def test_refused(client: httpx.AsyncClient, model: str, body: dict[str, Any]) -> None:
    answer = await client.post(f"{ENDPOINTS}/{model}:explain", content=json.dumps(body))
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["status"]) == (400, 400, "INVALID_ARGUMENT"), answer.text
    assert error["message"]


async def test_errors_of_every_layer(client: httpx.AsyncClient) -> None:
    cases = {
        "NOT_FOUND": await client.post(f"{ENDPOINTS}/nobody:explain", json={"instances": [ROW]}),
        "UNAVAILABLE": await client.get(f"{ENDPOINTS}/broken:x"),
        "INVALID_ARGUMENT": await client.post(f"{ENDPOINTS}/{TABLE}:explain", content=b"{"),
        "UNIMPLEMENTED": await client.delete(f"{ENDPOINTS}/{TABLE}"),
    }
    cases["UNAVAILABLE"] = await client.post(f"{ENDPOINTS}/broken:explain", json={"instances": [ROW]})
    assert {answer.json()["error"]["status"] for answer in cases.values()} == set(cases)
    bad = await client.post(f"{ENDPOINTS}/{TABLE}:explain", json={"instances": [ROW, ROW[:2]]})
    (detail,) = bad.json()["error"]["details"]
    assert detail["fieldViolations"][0]["field"] == "instances.1"
    version = await client.post(f"{ENDPOINTS}/{TABLE}:explain", json={"instances": [ROW], "deployedModelId": "9"})
    assert version.status_code == 404


async def test_the_wait_is_over(store: JobStore, worker: WorkerDouble) -> None:
    worker.gate.clear()
    async with client_of(store, SETTINGS.model_copy(update={"max_wait_s": 0.05})) as hasty:
        answer = await hasty.post(f"{ENDPOINTS}/{TABLE}:explain", json={"instances": [ROW]})
    assert (answer.status_code, answer.json()["error"]["status"]) == (504, "DEADLINE_EXCEEDED")
    assert answer.headers["location"].startswith("/jobs/")
