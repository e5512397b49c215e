"""The estimate of a job's rows, against numbers counted by hand."""

from typing import Any

import numpy as np
import pytest

from schemas.errors import InvalidRequest
from schemas.models import ModelCard
from schemas.requests import ExplainRequest
from service.submission import prepare
from service.validation.windows import count_windows
from tests.service.cards import image_card, table_card, tensor_card, text_card
from tests.service.refusals import picture, row, tensor, text


def rows(body: dict[str, Any], card: ModelCard) -> int:
    return prepare(ExplainRequest.model_validate(body), card).rows


def named(name: str, **parameters: Any) -> dict[str, Any]:
    return {"name": name, **parameters}


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("saliency", 1 + 1),
        ("input_x_gradient", 1 + 1),
        ("integrated_gradients", 50 + 2),
        (named("integrated_gradients", multiply_by_inputs=False), 50 + 1),
        (named("gradient_shap", n_samples=20), 20 + 1),
        ("deep_lift", 2 + 2),
        (named("smooth_grad", nt_samples=7), 7 + 1),
        (named("smooth_grad", nt_samples=7, attribution_method="integrated_gradients", n_steps=10), 70 + 1),
        ("occlusion", 30 + 1 + 1),
        (named("occlusion", sliding_window_shapes=[4], strides=[3]), 10 + 1 + 1),
        ("feature_ablation", 30 + 1 + 1),
        ("layer_integrated_gradients", 50 + 2),
        ("layer_activation", 1 + 1),
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
