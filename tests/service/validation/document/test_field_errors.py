"""What is accepted in more than one spelling, and what the refusals of the rest say."""

from typing import Any

import httpx
import numpy as np
import pytest
from safetensors.numpy import load

from broker import JobStore
from schemas.errors import InvalidRequest
from schemas.nested import flattened
from schemas.requests import TensorInput
from service.http.form import form_document
from service.openapi.examples import TINY_PNG
from service.validation.document.body import read_request
from tests.service.validation.refusals import picture, row, tensor
from tests.service.validation.refusals_of_shapes import OF_KINDS, OF_NAMES, OF_NESTING, OF_PLACES, Hinted
from tests.service.validation.test_refusals import assert_refused

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("idle_worker")]


@pytest.mark.parametrize("hinted", [*OF_NAMES, *OF_KINDS, *OF_PLACES, *OF_NESTING], ids=lambda hinted: str(hinted.loc))
async def test_the_nearest_is_named(client: httpx.AsyncClient, store: JobStore, hinted: Hinted) -> None:
    response = await client.post("/explain", json=hinted.body)
    problem = await assert_refused(response, store, 422, "invalid-request", hinted.loc)
    assert [error["loc"] for error in problem["errors"]] == [hinted.loc]
    assert hinted.message in problem["errors"][0]["msg"]


async def test_an_unknown_model_lists_those_there_are(client: httpx.AsyncClient, store: JobStore) -> None:
    response = await client.post("/explain", json=row(model="zzz"))
    problem = await assert_refused(response, store, 404, "model-not-found", ["model"])
    for name in ("breast-cancer-mlp", "efficientnet-lite0", "minilm-sentiment"):
        assert name in problem["detail"]


@pytest.mark.parametrize("head", ["data:image/png;base64,", "DATA:image/png;charset=x;Base64,", "data:;base64,"])
async def test_a_data_uri(client: httpx.AsyncClient, store: JobStore, head: str) -> None:
    stored = []
    for image in (TINY_PNG, head + TINY_PNG):
        response = await client.post(
            "/explain", json=picture(input={"image": image}), headers={"Cache-Control": "no-store"}
        )
        assert response.status_code == 202, response.text
        stored.append(load(await store.jobs.payload(response.json()["id"]))["pixels"])
    assert stored[0].tobytes() == stored[1].tobytes()


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("IntegratedGradients", "integrated_gradients"),
        ("ig", "integrated_gradients"),
        ({"name": "GradientShap", "n_samples": 3}, "gradient_shap"),
        ("Saliency", "saliency"),
    ],
)
async def test_other_names_of_methods(client: httpx.AsyncClient, written: Any, name: str) -> None:
    response = await client.post("/explain", json=row(method=written))
    assert response.status_code == 202, response.text
    assert response.json()["method"]["name"] == name


@pytest.mark.parametrize("shape", [[1, 2, 4, 4], [40, 2, 4, 4], [64, 2, 4, 4]])
async def test_nested_data(client: httpx.AsyncClient, store: JobStore, shape: list[int]) -> None:
    values = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    response = await client.post("/explain", json=tensor(shape, values.tolist()))
    assert response.status_code == 202, response.text
    assert np.array_equal(load(await store.jobs.payload(response.json()["id"]))["input.0"], values)


def test_as_many_nested_numbers_as_flat_ones() -> None:
    given = read_request(tensor([1, 3, 200, 200], np.ones((1, 3, 200, 200)).tolist())).input
    assert isinstance(given, TensorInput)
    assert given.tensor.data == [1.0] * 120_000


def test_a_size_that_is_not_there_is_refused_before_it_is_made() -> None:
    with pytest.raises(ValueError, match="elements, at most"):
        flattened([[0] * 5_000, *[[]] * 4_999])


@pytest.mark.parametrize(
    ("name", "message"), [("steps", "'n_steps'"), ("model_name", "'model'"), ("file", "'image'"), ("inputs", "its own")]
)
def test_fields_of_a_form(name: str, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        form_document({name: "x"})


def test_a_data_uri_in_a_form() -> None:
    text = f"data:image/png;base64,{TINY_PNG}"
    assert form_document({"model": "m", "image": text})["input"] == {"image": text}
    with pytest.raises(InvalidRequest, match="as a file part"):
        form_document({"model": "m", "image": "cat.png"})


@pytest.mark.parametrize("place", ["baseline", "feature_mask"])
def test_values_are_not_repeated(place: str) -> None:
    name = "deep_lift" if place == "baseline" else "lime"
    with pytest.raises(InvalidRequest) as caught:
        read_request(row(method={"name": name, place: "hunter2"}))
    assert "hunter2" not in str(caught.value.problem())
