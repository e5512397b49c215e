"""A stored result in each of its formats."""

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
