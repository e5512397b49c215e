"""A stored result in each of its formats."""

import base64
import io

import httpx
import numpy as np
import orjson
import pytest
from safetensors.numpy import save

from schemas.results import Explanation
from service.results.formats import explanation_json
from tests.service.conftest import finished
from tests.service.validation.refusals import picture, tensor

pytestmark = pytest.mark.anyio


def test_nan_never_reaches_json() -> None:
    meta = orjson.dumps({"attributions": [{"name": "input", "datatype": "FP16", "shape": [1, 3]}]})
    blob = save({"input": np.array([[1.5, np.nan, np.inf]], dtype=np.float16)})
    assert orjson.loads(explanation_json(meta, blob))["attributions"][0]["data"] == [1.5, None, None]


@pytest.mark.usefixtures("worker")
async def test_every_numeric_type_in_json(client: httpx.AsyncClient) -> None:
    for body in (
        tensor([1, 3], [1, 2, 3], "integers"),
        tensor([1, 3], [1, 2.5, 3], "halves", target=None),
        tensor([1, 2, 4, 4], [0.1] * 32),
        picture(),
    ):
        job_id = await finished(client, body)
        response = await client.get(f"/jobs/{job_id}/result")
        Explanation.model_validate_json(response.content)


@pytest.mark.usefixtures("worker")
async def test_base64_holds_the_bits_of_npy(client: httpx.AsyncClient) -> None:
    for body in (
        tensor([1, 3], [1, 2, 3], "integers"),
        tensor([1, 3], [1, 2.5, 3], "halves", target=None),
        tensor([1, 2, 4, 4], [0.1] * 32),
        picture(),
    ):
        url = f"/jobs/{await finished(client, body)}/result"
        response = await client.get(url, params={"encoding": "base64"})
        explanation = Explanation.model_validate_json(response.content)
        numbers = Explanation.model_validate_json((await client.get(url)).content)
        plain = {"attributions": numbers.attributions}
        assert explanation.model_copy(update=plain) == numbers
        for encoded, listed in zip(explanation.attributions, numbers.attributions, strict=True):
            npy = await client.get(url, params={"tensor": encoded.name}, headers={"Accept": "application/x-npy"})
            array = np.load(io.BytesIO(npy.content))
            assert (encoded.shape, encoded.datatype) == (listed.shape, listed.datatype)
            assert isinstance(encoded.data, str)
            assert base64.b64decode(encoded.data, validate=True) == array.tobytes()
            assert listed.encoding is None
            assert b'"encoding":null' not in response.content


@pytest.mark.usefixtures("worker")
async def test_base64_of_an_answer_that_is_the_result(client: httpx.AsyncClient) -> None:
    query = {"wait": "10", "answer": "result", "encoding": "base64"}
    response = await client.post("/explain", params=query, json=picture())
    assert response.status_code == 200
    assert response.json()["attributions"][0]["encoding"] == "base64"


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize(
    ("query", "accept", "detail"),
    [
        ("?encoding=base64", "application/x-npy", "belongs to application/json; accept it"),
        ("?encoding=hex", "application/json", "Input should be 'numbers' or 'base64'"),
    ],
)
async def test_an_encoding_that_does_not_apply(client: httpx.AsyncClient, query: str, accept: str, detail: str) -> None:
    job_id = await finished(client, tensor([1, 3], [1, 2, 3], "integers"))
    response = await client.get(f"/jobs/{job_id}/result{query}", headers={"Accept": accept})
    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert error == {"loc": ["query", "encoding"], "msg": detail}
    answer = await client.post("/explain?encoding=base64", json=picture())
    assert answer.json()["errors"] == [{"loc": ["query", "encoding"], "msg": "belongs to a result; add answer=result"}]
