"""The estimate of a job's rows, against numbers counted by hand."""

from math import prod
from typing import Any

import numpy as np
import pytest

from schemas.errors import InvalidRequest
from schemas.methods import METHODS
from schemas.methods.cost import TYPICAL_AUTO_STEPS, TYPICAL_DOUBLED_STEPS
from schemas.models import ModelCard
from schemas.requests import ExplainRequest
from service.catalogue.guides import MethodGuide, catalogue
from service.submission import prepare
from service.validation.windows import count_windows
from tests.service.cards import image_card, table_card, tensor_card, text_card
from tests.service.validation.refusals import picture, row, tensor, text


def rows(body: dict[str, Any], card: ModelCard) -> int:
    return prepare(ExplainRequest.model_validate(body), card).rows


def named(name: str, **parameters: Any) -> dict[str, Any]:
    return {"name": name, **parameters}


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("saliency", 1),
        ("input_x_gradient", 1),
        ("integrated_gradients", 50 + 2),
        (named("integrated_gradients", multiply_by_inputs=False), 50 + 1),
        (named("integrated_gradients", n_steps="auto", tolerance=0.001), TYPICAL_AUTO_STEPS + 2),
        (named("gradient_shap", n_samples=20), 20 + 1),
        ("deep_lift", 2 + 2),
        (named("smooth_grad", nt_samples=7), 7 + 1),
        (named("smooth_grad", nt_samples=7, attribution_method="integrated_gradients", n_steps=10), 70 + 1),
        ("occlusion", 30 + 1 + 1),
        (named("occlusion", sliding_window_shapes=[4], strides=[3]), 10 + 1 + 1),
        ("feature_ablation", 30 + 1 + 1),
        ("layer_integrated_gradients", 50 + 2 + 2),
        ("layer_activation", 1 + 1),
        ("deep_lift_shap", 2 * 20 + 20 + 1),
        (named("layer_conductance", n_steps=10), 11 + 2),
        (named("layer_conductance", n_steps="auto"), TYPICAL_DOUBLED_STEPS + 1 + 2),
        (named("layer_gradient_shap", n_samples=7), 3 * 7 + 1),
        ("layer_deep_lift", 2 + 2),
        (named("layer_deep_lift", multiply_by_inputs=False), 2 + 1),
        ("layer_lrp", 2 + 1),
        ("layer_feature_ablation", 16 + 2 + 1),
        (named("neuron_deep_lift", neuron_selector=3), 2 + 1),
        (named("neuron_deep_lift_shap", neuron_selector=3), 2 * 20 + 1),
        (named("neuron_feature_ablation", neuron_selector=3), 30 + 1 + 1),
        (named("shapley_value_sampling", n_samples=4), 4 * 30 + 1 + 1),
    ],
)
def test_one_table_row(method: Any, expected: int) -> None:
    assert rows(row(method=method), table_card()) == expected
    three = row(method=method)
    three["input"] = {"features": [three["input"]["features"]] * 3}
    assert rows(three, table_card()) == 3 * expected


def test_pictures() -> None:
    assert rows(picture(method="feature_ablation"), image_card()) == 14 * 14 + 1 + 1
    assert rows(picture(method="occlusion"), image_card()) == 15 * 15 + 1 + 1
    mask = {"tensor": {"shape": [1, 2, 4, 4], "data": [5] * 16 + [9] * 16}}
    body = tensor([1, 2, 4, 4], [1.0] * 32, method=named("feature_ablation", feature_mask=mask))
    card = tensor_card("maps", [[2, 4, 4]])
    assert rows({**body, "target": None}, card) == 2 + 1 + 1


def test_texts_are_bounded_by_their_characters() -> None:
    assert rows(text(method="occlusion"), text_card()) == len("good") + 2 + 1 + 1
    long = text(method="feature_ablation", input={"text": "word " * 1000})
    assert rows(long, text_card()) == 128 + 1 + 1
    wide = text(method=named("occlusion", sliding_window_shapes=[100]))
    assert rows(wide, text_card()) == 1 + 1 + 1


def test_the_refusal_tells_the_sum() -> None:
    method = named("smooth_grad", nt_samples=1000, attribution_method="integrated_gradients", n_steps=21)
    with pytest.raises(InvalidRequest, match=r"1 examples x \(1000 nt_samples x 21 n_steps \+ 1\) = 21001 model rows"):
        rows(row(method=method), table_card())


@pytest.mark.parametrize(("extent", "window", "stride"), [(10, 3, 1), (10, 3, 3), (10, 10, 4), (7, 2, 2), (1, 1, 1)])
def test_windows_tile_the_example(extent: int, window: int, stride: int) -> None:
    """Positions as Captum moves them: the last one is clipped to the end, and every element is covered."""
    starts = [min(i * stride, extent - window) for i in range(count_windows([extent], [window], [stride]))]
    assert len(set(starts)) == len(starts)
    covered = np.zeros(extent, dtype=bool)
    for start in starts:
        covered[start : start + window] = True
    assert covered.all()


COUNTS = {"features": 30, "windows": 30, "units": 16, "baselines": 20}  # of one row of the table, by default


def formula(cost: str, values: dict[str, Any]) -> int:
    """The rows that the catalogue's formula gives: sums of products of numbers, names and powers."""

    def value(word: str) -> int:
        base, _, exponent = word.partition("^")
        number = int(values[base]) if base in values else int(base)
        return int(number ** value(exponent)) if exponent else number

    terms = cost.partition(" (")[0].split(" + ")
    return sum(prod(value(word) for word in term.split(" x ")) for term in terms)


@pytest.mark.parametrize("guide", catalogue("en").methods, ids=lambda guide: guide.name)
def test_the_catalogue_tells_the_cost(guide: MethodGuide) -> None:
    selector = {"neuron_selector": 0} if guide.family == "neuron" else {}
    method, values, card = named(guide.name, **selector), dict(COUNTS), table_card()
    body = row(method=method)
    examples = 1
    if METHODS[guide.name].permutes:
        examples = 2
        body["input"] = {"features": [body["input"]["features"]] * examples}
    if guide.name == "shapley_values":
        method["feature_mask"] = {"tensor": {"shape": [1, 30], "data": [0, 1, 2, 3, 4] * 6}}
        values["features"] = 5
    if guide.name == "guided_grad_cam":
        body, card = picture(method=method), image_card()
    checked = ExplainRequest.model_validate(body)
    assert checked.method is not None
    assert rows(body, card) == examples * formula(guide.cost, {**dict(checked.method), **values})


def test_gaps_between_the_numbers_of_a_mask_cost_nothing() -> None:
    gaps = {"tensor": {"shape": [1, 30], "data": [0] * 15 + [3] * 15}}
    assert rows(row(method=named("shapley_values", feature_mask=gaps)), table_card()) == 2**2
    assert rows(row(method=named("shapley_value_sampling", feature_mask=gaps)), table_card()) == 25 * 2 + 2
    assert rows(row(method=named("feature_ablation", feature_mask=gaps)), table_card()) == 2 + 2


def test_baselines_are_counted() -> None:
    given = {"tensor": {"shape": [3, 30], "data": [0.0] * 90}}
    assert rows(row(method=named("deep_lift_shap", baseline=given)), table_card()) == 3 * 3 + 1
    assert rows(row(method=named("layer_deep_lift_shap", baseline="zero")), table_card()) == 3 + 1


def test_units_of_a_text_follow_its_tokens() -> None:
    assert rows(text(method="layer_feature_ablation"), text_card()) == (len("good") + 2) * 384 + 3


def test_the_refusal_of_coalitions_tells_how_many_fit() -> None:
    with pytest.raises(
        InvalidRequest, match=r"30 features have 2\^30 coalitions .* at most 14 features fit into the 20000"
    ):
        rows(row(method="shapley_values"), table_card())
    assert rows(picture(method=named("shapley_values", feature_mask={"grid": [2, 7]})), image_card()) == 2**14
