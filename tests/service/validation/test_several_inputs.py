"""Models of several inputs: baselines, masks and windows of their own for each."""

from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load

from schemas.errors import InvalidRequest
from schemas.methods import echo, stored_method
from schemas.requests import ExplainRequest
from service.submission import Submission, prepare
from tests.service.cards import tensor_card

CARD = tensor_card("unlike", [[3], [2, 2]])
LEFT: dict[str, Any] = {"shape": [1, 3], "data": [1, 2, 3]}
RIGHT: dict[str, Any] = {"shape": [1, 2, 2], "data": [4, 5, 6, 7]}


def submission_of(name: str, **parameters: Any) -> Submission:
    body = {"model": "unlike", "input": {"tensors": [LEFT, RIGHT]}, "method": {"name": name, **parameters}}
    return prepare(ExplainRequest.model_validate(body), CARD)


def tensors(*each: Any) -> dict[str, Any]:
    return {"tensors": list(each)}


def test_a_baseline_each() -> None:
    given = submission_of("integrated_gradients", baseline=tensors({"shape": [1, 3], "data": [9, 8, 7]}, "zero"))
    payload = load(given.payload)
    assert payload["baseline.0"].tolist() == [[9, 8, 7]]
    assert payload["baseline.1"].tolist() == [[[0, 0], [0, 0]]]
    assert payload["baseline.1"].dtype == np.float32
    stored = stored_method(given.spec.method)
    assert echo(stored)["baseline"] == tensors({"datatype": "FP32", "shape": [1, 3]}, "zero")


def test_distributions_are_drawn_together() -> None:
    several = {"shape": [4, 3], "data": list(range(12))}
    payload = load(submission_of("gradient_shap", baseline=tensors(several, "zero")).payload)
    assert payload["baseline.0"].shape == (4, 3)
    assert payload["baseline.1"].shape == (4, 2, 2)  # zero beside each of the four
    assert submission_of("deep_lift_shap", baseline=tensors(several, RIGHT)).rows == 4 * 3 + 1
    with pytest.raises(InvalidRequest, match=r"baseline\.tensors\.1\.shape\.0: 2 rows; allowed here: 1 or 4"):
        submission_of("gradient_shap", baseline=tensors(several, {"shape": [2, 2, 2], "data": [0] * 8}))


def test_a_mask_each() -> None:
    left = {"shape": [1, 3], "data": [0, 0, 1]}
    masks = tensors(left, {"shape": [1, 2, 2], "data": [1, 1, 2, 2]})
    given = submission_of("feature_ablation", feature_mask=masks)
    assert load(given.payload)["feature_mask.1"].tolist() == [[[1, 1], [2, 2]]]
    assert given.rows == (3 + 1) + 1  # feature 1 is in both inputs
    assert (
        submission_of("shapley_value_sampling", n_samples=5, feature_mask=masks).rows == 5 * 3 + 2
    )  # one coalition over all
    assert submission_of("kernel_shap", feature_mask=masks).rows == 25 + 2
    with pytest.raises(InvalidRequest, match="two features or more"):
        submission_of(
            "kernel_shap", feature_mask=tensors({**left, "data": [1] * 3}, {"shape": [1, 2, 2], "data": [1] * 4})
        )


def test_a_window_each() -> None:
    given = submission_of("occlusion", sliding_window_shapes=[[2], [1, 2]], strides=[[1], [1, 2]])
    assert given.spec.method["sliding_window_shapes"] == [[2], [1, 2]]
    assert given.rows == (2 + 2 + 1) + 1
    assert submission_of("occlusion").spec.method["strides"] == [[1], [1, 1]]
    assert submission_of("occlusion").rows == (3 + 4 + 1) + 1


@pytest.mark.parametrize(
    ("name", "parameters", "refusal"),
    [
        ("deep_lift_shap", {"baseline": tensors(LEFT)}, "method.baseline.tensors: the model has 2 inputs"),
        ("integrated_gradients", {"baseline": {"tensor": LEFT}}, "method.baseline.tensor: the model has 2 inputs"),
        ("integrated_gradients", {"baseline": tensors(RIGHT, LEFT)}, "method.baseline.tensors.0.shape"),
        ("lime", {"feature_mask": tensors(LEFT, RIGHT, RIGHT)}, "method.feature_mask.tensors: the model has 2 inputs"),
        (
            "lime",
            {"feature_mask": tensors(LEFT, {**RIGHT, "data": [0, 0, 0, 2**54]})},
            "method.feature_mask.tensors.1.data.3",
        ),
        ("occlusion", {"sliding_window_shapes": [1]}, "method.sliding_window_shapes: 2 numbers are needed"),
        ("occlusion", {"sliding_window_shapes": [[1]]}, "method.sliding_window_shapes: the model has 2 inputs"),
        ("occlusion", {"sliding_window_shapes": [[1], [1, 3]]}, "method.sliding_window_shapes.1.1: larger than 2"),
        (
            "occlusion",
            {"sliding_window_shapes": [[1], [1, 1]], "strides": [[2], [1, 1]]},
            "method.strides.0.0: larger than 1",
        ),
    ],
)
def test_refused(name: str, parameters: dict[str, Any], refusal: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        submission_of(name, **parameters)
    assert str(caught.value).startswith(refusal)
