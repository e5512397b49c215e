"""The numbers of a mask are names: only which elements share one counts."""

from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load

from schemas.errors import InvalidRequest
from schemas.models import ModelCard
from schemas.requests import ExplainRequest
from service.submission import Submission, prepare
from service.validation.numbering import numbered_densely
from tests.service.cards import table_card, tensor_card
from tests.service.validation.refusals import tensor

FOUR = tensor_card("four", [[4]])
PAIR = tensor_card("two-tensors", [[3], [2]])
METHODS = ["feature_ablation", "kernel_shap", "lime", "shapley_value_sampling", "shapley_values"]


def given(shape: list[int], data: list[int]) -> dict[str, Any]:
    return {"datatype": "INT64", "shape": shape, "data": data}


def submission_of(card: ModelCard, name: str, masks: list[dict[str, Any]], examples: int = 1) -> Submission:
    assert card.input is not None
    inputs = [
        {"shape": [examples, *shape], "data": [1.0] * (examples * int(np.prod(shape)))} for shape in card.input.shapes
    ]
    body = {
        "model": card.name,
        "input": {"tensors": inputs},
        "method": {"name": name, "feature_mask": {"tensors": masks}},
    }
    return prepare(ExplainRequest.model_validate(body), card)


@pytest.mark.parametrize(
    ("data", "dense"),
    [
        ([0, 1, 1, 2], [0, 1, 1, 2]),
        ([3, 3, 900, 17], [0, 0, 2, 1]),
        ([4095, 4095, 4095, 1], [1, 1, 1, 0]),
        ([12, 11, 10, 9], [3, 2, 1, 0]),
        ([4096, 10**15, 4096, 0], [1, 2, 1, 0]),
        ([-7, 3, -7, -(10**12)], [1, 2, 1, 0]),
    ],
)
@pytest.mark.parametrize("method", METHODS)
def test_gaps_cost_and_change_nothing(method: str, data: list[int], dense: list[int]) -> None:
    found = submission_of(FOUR, method, [given([1, 4], data)])
    expected = submission_of(FOUR, method, [given([1, 4], dense)])
    assert found.rows == expected.rows
    assert load(found.payload)["feature_mask.0"].tolist() == [dense]
    assert found.payload == expected.payload
    assert found.spec.method == expected.spec.method


def test_equal_numbers_of_two_inputs_stay_one_feature() -> None:
    arrays = load(submission_of(PAIR, "kernel_shap", [given([1, 3], [50, 7, 50]), given([1, 2], [90, 7])]).payload)
    assert arrays["feature_mask.0"].tolist() == [[1, 0, 1]]
    assert arrays["feature_mask.1"].tolist() == [[2, 0]]


def test_each_example_has_names_of_its_own() -> None:
    mask = given([2, 4], [0, 7, 7, 100, 300, 200, 200, 200])
    found = submission_of(FOUR, "shapley_value_sampling", [mask], examples=2)
    assert load(found.payload)["feature_mask.0"].tolist() == [[0, 1, 1, 2], [1, 0, 0, 0]]
    alone = submission_of(FOUR, "shapley_value_sampling", [given([1, 4], [0, 7, 7, 100])])
    assert found.rows == 2 * alone.rows


@pytest.mark.parametrize(
    ("shared", "own", "expected"),
    [
        ([5, 9], [[5, 20, 9], [9, 9, 30]], ([[0, 1]], [[0, 2, 1], [1, 1, 2]])),  # the order of the numbers is kept
        ([5, 9], [[1, 5, 9], [9, 9, 9]], ([[0, 1]], [[2, 0, 1], [1, 1, 1]])),  # it would differ between the rows
        ([0, 1], [[2, 3, 2], [3, 3, 2]], ([[0, 1]], [[2, 3, 2], [3, 3, 2]])),
    ],
)
def test_a_mask_for_all_beside_one_for_each(shared: list[int], own: list[list[int]], expected: Any) -> None:
    for swapped in (False, True):
        masks = [np.array([shared]), np.array(own)]
        found = numbered_densely(masks[::-1] if swapped else masks)
        assert [mask.tolist() for mask in (found[::-1] if swapped else found)] == list(expected)


def test_random_masks_keep_their_partition() -> None:
    rng = np.random.default_rng(0)
    for rows in [(1, 1, 1), (4, 4, 4), (1, 4, 1), (4, 1, 4)]:
        masks = [rng.integers(0, 4096, (count, 2, 3)) // 400 * 400 for count in rows]
        found = numbered_densely(masks)
        for row in range(max(rows)):
            before, after = (np.concatenate([m[row % len(m)].ravel() for m in some]) for some in (masks, found))
            assert sorted(set(after)) == list(range(len(set(before))))
            assert np.array_equal(before[:, None] == before, after[:, None] == after)


def test_a_mask_of_a_layer() -> None:
    method = {"name": "layer_feature_ablation", "layer": "hidden2", "layer_mask": {"tensor": given([1, 16], [0] * 16)}}
    gaps = [0, 70, 400, 70] * 4
    method["layer_mask"] = {"tensor": given([1, 16], gaps)}
    body = {"model": "t", "input": {"tensor": {"shape": [1, 30], "data": [1.0] * 30}}, "method": method}
    found = prepare(ExplainRequest.model_validate(body), table_card())
    assert load(found.payload)["layer_mask.0"].tolist() == [[0, 1, 2, 1] * 4]
    assert found.rows == 3 + 2 + 1


def test_one_feature_of_an_example_is_no_coalition() -> None:
    with pytest.raises(InvalidRequest, match="two features or more"):
        submission_of(FOUR, "kernel_shap", [given([2, 4], [0, 1, 2, 3, 9, 9, 9, 9])], examples=2)


def test_as_many_features_as_coalitions_allow_whatever_their_numbers() -> None:
    assert submission_of(FOUR, "shapley_values", [given([1, 4], [0, 7, 7, 4095])]).rows == 2**3
    body = tensor([1, 4], [1.0] * 4, "four", method={"name": "shapley_values"})
    assert prepare(ExplainRequest.model_validate(body | {"target": None}), FOUR).rows == 2**4
