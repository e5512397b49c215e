"""A running service gives the numbers that Captum's own tests expect for its toy models."""

from typing import Any

import httpx
import numpy as np
import pytest

from schemas.methods import METHOD_NAMES
from tests.e2e.toys.captum_numbers import CASES, Case, flat, wire
from tests.e2e.toys.captum_repository import REPOSITORY

WITHOUT_PUBLISHED_NUMBERS = {  # their tests compare with other methods, or with numbers drawn at random
    "gradient_shap",
    "smooth_grad",
    "layer_integrated_gradients",
    "lime",  # the numbers belong to a regression whose parameters are not Captum's defaults
}


def request_body(case: Case) -> dict[str, Any]:
    tensors = [wire(tensor) for tensor in case.inputs]
    body: dict[str, Any] = {"model": case.model, "input": {"tensors": tensors}, "method": case.method}
    if REPOSITORY[case.model][2] == "classification":
        body["target"] = case.target
    return body


def test_every_method_with_published_numbers_has_a_case() -> None:
    assert {case.method["name"] for case in CASES} | WITHOUT_PUBLISHED_NUMBERS == set(METHOD_NAMES)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_captums_numbers(case: Case, toys: httpx.Client) -> None:
    response = toys.post("/explain?wait=30", json=request_body(case))
    assert response.status_code == 200, response.text
    job = response.json()
    assert job["status"] == "succeeded", job
    result = toys.get(job["links"]["result"]).raise_for_status().json()
    assert len(result["attributions"]) == len(case.expected)
    for tensor, expected in zip(result["attributions"], case.expected, strict=True):
        assert tensor["shape"] == wire(expected)["shape"]
        numbers = flat(expected)
        assert all((number is None) <= (value != 0) for value, number in zip(tensor["data"], numbers, strict=True))
        known = [index for index, number in enumerate(numbers) if number is not None]
        np.testing.assert_allclose(
            [tensor["data"][index] for index in known],
            [numbers[index] for index in known],
            rtol=1e-6,
            atol=case.tolerance,
        )
