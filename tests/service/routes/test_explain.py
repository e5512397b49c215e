"""`POST /explain`, from the body to the queue."""

import asyncio
import base64
import io
import json
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load

from broker import JobStore
from schemas.jobs import PREDICTED
from schemas.model_key import ModelKey
from service.openapi.examples import NUCLEI, TINY_PNG
from tests.servers import StoreServer
from tests.service.cards import image_card
from tests.service.double import WorkerDouble
from tests.service.validation.refusals import picture, place, row, tensor, text

pytestmark = pytest.mark.anyio
PNG = base64.b64decode(TINY_PNG)


async def submitted(client: httpx.AsyncClient, body: dict[str, Any]) -> dict[str, Any]:
    response = await client.post("/explain", json=body)
    assert response.status_code == 202, response.text
    job: dict[str, Any] = response.json()
    return job


@pytest.mark.usefixtures("idle_worker")
@pytest.mark.parametrize("target", [[None, 3, 5], [[None, 3, 5]]])
async def test_the_class_at_a_place_is_told_when_it_is_known(
    client: httpx.AsyncClient, store: JobStore, target: list[Any]
) -> None:
    job = await submitted(client, place(target))
    assert job["target"] is None
    assert (await store.jobs.get(job["id"])).spec.target == [[PREDICTED, 3, 5]]


@pytest.mark.usefixtures("idle_worker")
@pytest.mark.parametrize("target", [["sky", 3, 5], [[1, 3, 5]]])
async def test_a_place_of_a_map_is_a_target(client: httpx.AsyncClient, store: JobStore, target: list[Any]) -> None:
    job = await submitted(client, place(target))
    assert job["target"] == [{"index": 1, "label": None, "position": [3, 5]}]
    assert (await store.jobs.get(job["id"])).spec.target == [[1, 3, 5]]


@pytest.mark.usefixtures("idle_worker")
async def test_accepted(client: httpx.AsyncClient) -> None:
    response = await client.post("/explain", json=picture(target="egyptian CAT"))
    job = response.json()
    assert response.status_code == 202
    assert response.headers["location"] == job["links"]["self"] == f"/jobs/{job['id']}"
    assert response.headers["content-type"] == "application/json"
    assert job["status"] == "queued"
    assert job["progress"] == {"done": 0, "total": 1, "fraction": 0.0}
    assert job["method"] == {"name": "saliency", "abs": True}
    assert job["target"] == [{"index": 285, "label": None}]
    assert job["created_at"].endswith("Z")
    assert (await client.get(job["links"]["self"])).json() == job


@pytest.mark.usefixtures("idle_worker")
@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (picture(method=None), {"name": "integrated_gradients", "n_steps": 50, "baseline": "zero"}),
        (text(method="integrated_gradients"), {"baseline": "pad"}),
        (row(method="gradient_shap"), {"baseline": "background"}),
        (row(method="deep_lift"), {"baseline": "zero"}),
        (picture(method="layer_grad_cam"), {"layer": "features.17", "upsample": False}),
        (picture(method="feature_ablation"), {"feature_mask": {"grid": [14, 14]}, "baseline": "zero"}),
        (row(method="feature_ablation"), {"feature_mask": None}),
        (picture(method="occlusion"), {"sliding_window_shapes": [3, 28, 28], "strides": [3, 14, 14]}),
        (row(method="occlusion"), {"sliding_window_shapes": [1], "strides": [1]}),
        (text(method="occlusion"), {"sliding_window_shapes": [1], "strides": [1]}),
        (text(method={"name": "occlusion", "sliding_window_shapes": [3]}), {"strides": [1]}),
        (text(method="smooth_grad"), {"baseline": None}),
        (row(method="deep_lift_shap"), {"baseline": "background"}),
        (row(method="layer_deep_lift_shap"), {"baseline": "background", "layer": "hidden2"}),
        (picture(method="layer_gradient_shap"), {"baseline": "zero"}),
        (row(method="layer_deep_lift"), {"baseline": "zero"}),
        (row(method="layer_conductance"), {"baseline": "zero", "layer": "hidden2", "n_steps": 50}),
        (
            row(method={"name": "neuron_gradient_shap", "neuron_selector": 15}),
            {"baseline": "background", "layer": "hidden2", "neuron_selector": 15},
        ),
        (
            picture(method={"name": "neuron_feature_ablation", "neuron_selector": [1279, 6, 6]}),
            {"baseline": "zero", "layer": "features.17", "feature_mask": {"grid": [14, 14]}},
        ),
        (
            picture(method={"name": "neuron_gradient", "neuron_selector": 9, "attribute_to_neuron_input": True}),
            {"layer": "features.17"},
        ),
        (text(method={"name": "neuron_gradient", "neuron_selector": [3, 383]}), {"neuron_selector": [3, 383]}),
        (picture(method="guided_grad_cam"), {"layer": "features.17", "interpolate_mode": "nearest"}),
        (picture(method="kernel_shap"), {"feature_mask": {"grid": [4, 4]}, "n_samples": 25, "baseline": "zero"}),
        (picture(method="lime"), {"feature_mask": {"grid": [4, 4]}}),
        (picture(method="shapley_value_sampling"), {"feature_mask": {"grid": [4, 4]}}),
        (picture(method="shapley_values"), {"feature_mask": {"grid": [2, 2]}}),
        (text(method="lime"), {"feature_mask": None, "baseline": "pad"}),
        (row(method="layer_feature_ablation"), {"layer": "hidden2", "layer_mask": None, "layer_baselines": 0.0}),
        (
            text(method={"name": "smooth_grad", "attribution_method": "integrated_gradients"}),
            {"baseline": "pad", "n_steps": 50},
        ),
    ],
)
async def test_defaults_of_the_card(client: httpx.AsyncClient, body: dict[str, Any], fields: dict[str, Any]) -> None:
    method = (await submitted(client, body))["method"]
    assert {key: method[key] for key in fields} == fields


@pytest.mark.usefixtures("idle_worker")
async def test_payloads(client: httpx.AsyncClient, store: JobStore) -> None:
    async def payload(body: dict[str, Any]) -> dict[str, Any]:
        blob = await store.jobs.payload((await submitted(client, body))["id"])
        return load(blob)

    seen = Image.open(io.BytesIO(PNG)).convert("RGB").resize((224, 224), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal((await payload(picture()))["pixels"], np.asarray(seen))
    assert (await payload(text(input={"text": "¡Qué película!"})))["text"].tobytes().decode() == "¡Qué película!"
    shuffled = dict(sorted(NUCLEI.items()))
    table = (await payload(row(input={"features": [NUCLEI, shuffled]})))["features"]
    assert table.dtype == np.float64
    np.testing.assert_array_equal(table, [list(NUCLEI.values())] * 2)


@pytest.mark.usefixtures("idle_worker")
async def test_tensors_are_stored_in_the_models_datatype(client: httpx.AsyncClient, store: JobStore) -> None:
    job = await submitted(client, tensor([2, 3], [1, 2, 3, 4, 5, 6], "integers", target=[1, 2]))
    blob = load(await store.jobs.payload(job["id"]))
    assert blob["input.0"].dtype == np.int32
    np.testing.assert_array_equal(blob["input.0"], [[1, 2, 3], [4, 5, 6]])
    assert (await store.jobs.get(job["id"])).spec.target == [1, 2]

    mask = {"tensor": {"datatype": "INT64", "shape": [1, 2, 4, 4], "data": [0] * 16 + [7] * 16}}
    baseline = {"tensor": {"datatype": "FP64", "shape": [2, 2, 4, 4], "data": [0.5] * 64}}
    method = {"name": "feature_ablation", "feature_mask": mask, "baseline": baseline}
    job = await submitted(client, tensor([2, 2, 4, 4], [1.0] * 64, method=method))
    blob = load(await store.jobs.payload(job["id"]))
    assert {name: (str(array.dtype), array.shape) for name, array in blob.items()} == {
        "input.0": ("float32", (2, 2, 4, 4)),
        "baseline.0": ("float32", (2, 2, 4, 4)),
        "feature_mask.0": ("int64", (1, 2, 4, 4)),
    }
    assert job["method"]["feature_mask"] == {"tensor": {"datatype": "INT64", "shape": [1, 2, 4, 4]}}
    assert job["progress"]["total"] == 2 * (2 + 1 + 1)


@pytest.mark.usefixtures("idle_worker")
async def test_masks_and_distributions_lie_beside_the_job(client: httpx.AsyncClient, store: JobStore) -> None:
    async def arrays(**method: Any) -> dict[str, tuple[str, tuple[int, ...]]]:
        job = await submitted(client, row(method=method))
        blob = load(await store.jobs.payload(job["id"]))
        assert (await store.jobs.get(job["id"])).spec.method["layer"] == "hidden2"
        return {name: (str(array.dtype), array.shape) for name, array in blob.items() if name != "features"}

    groups = {"tensor": {"datatype": "INT64", "shape": [1, 16], "data": [0, 1] * 8}}
    several = {"tensor": {"shape": [3, 30], "data": [0.5] * 90}}
    masked = await arrays(name="layer_feature_ablation", layer_mask=groups)
    assert masked == {"layer_mask.0": ("int64", (1, 16))}
    drawn = await arrays(name="layer_deep_lift_shap", baseline=several)
    assert drawn == {"baseline.0": ("float32", (3, 30))}


@pytest.mark.usefixtures("idle_worker")
async def test_a_layer_mask_for_a_text_has_as_many_rows_as_tokens(client: httpx.AsyncClient) -> None:
    groups = {"tensor": {"shape": [1, 3, 384], "data": [0] * 384 + [1] * 384 + [2] * 384}}
    job = await submitted(client, text(method={"name": "layer_feature_ablation", "layer_mask": groups}))
    assert job["progress"]["total"] == 3 + 2 + 1


@pytest.mark.usefixtures("idle_worker")
async def test_idempotency_key(client: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "order 66"}
    first = await client.post("/explain", json=row(), headers=key)
    reordered = row(input={"features": dict(sorted(NUCLEI.items()))})
    again = await client.post("/explain", json=reordered, headers=key)
    as_form = await client.post(
        "/explain",
        files={
            "model": (None, "breast-cancer-mlp"),
            "method": (None, "saliency"),
            "features": (None, json.dumps(NUCLEI)),
        },
        headers=key,
    )
    assert first.json()["id"] == again.json()["id"] == as_form.json()["id"]
    other = await client.post("/explain", json=row(seed=1), headers=key)
    assert other.status_code == 422
    assert other.json()["type"].endswith("idempotency-conflict")
    assert len((await client.get("/jobs")).json()["jobs"]) == 1


@pytest.mark.usefixtures("idle_worker")
async def test_full_queue(client: httpx.AsyncClient) -> None:
    answers = [await client.post("/explain", json=row(seed=seed)) for seed in range(4)]
    assert [response.status_code for response in answers] == [202, 202, 202, 429]
    assert answers[3].json()["type"].endswith("queue-full")
    assert int(answers[3].headers["retry-after"]) >= 1
    assert (await client.post("/explain", json=text())).status_code == 202  # another model's queue


async def test_model_versions(client: httpx.AsyncClient, store_server: StoreServer, namespace: str) -> None:
    worker = WorkerDouble(store_server.url, namespace, [image_card("9"), image_card("10")])
    assert (await submitted(client, picture()))["version"] == "10"
    assert (await submitted(client, picture(version="9")))["version"] == "9"
    worker.stop()


@pytest.mark.usefixtures("idle_worker")
async def test_concurrent_submissions(client: httpx.AsyncClient, store: JobStore) -> None:
    answers = await asyncio.gather(*(client.post("/explain", json=text(seed=seed)) for seed in range(3)))
    assert len({response.json()["id"] for response in answers}) == 3
    assert (await store.jobs.backlog())[ModelKey("minilm-sentiment", "1")] == 3
