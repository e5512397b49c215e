"""The size of a result to expect is not below that of the tensors that it will hold."""

from typing import Any

import pytest

from schemas.models import ModelCard
from schemas.requests import ExplainRequest
from service.submission import prepare
from tests.service.cards import image_card, table_card
from tests.service.test_submission import VIEW, submission
from tests.service.validation.refusals import row

META_BYTES = 64 * 1024  # of all that a small result holds besides tensors


def expected(body: dict[str, Any], card: ModelCard) -> int:
    return prepare(ExplainRequest.model_validate(body), card).result_bytes


def test_a_picture_has_an_attribution_for_each_channel_and_pixel() -> None:
    found = submission(VIEW, "PNG").result_bytes
    assert 3 * 224 * 224 * 4 <= found <= 3 * 224 * 224 * 4 + META_BYTES


def test_each_row_of_a_table_adds_its_own() -> None:
    one = row(method="saliency")
    features = one["input"]["features"]
    many = {**one, "input": {"features": [features] * 10}}
    assert 10 * 30 * 4 < expected(many, table_card()) - expected(one, table_card()) < 10 * META_BYTES


@pytest.mark.parametrize(
    ("method", "elements"),
    [
        ({"name": "layer_grad_cam", "layer": "features.7"}, 80 * 14 * 14),
        ({"name": "layer_activation", "layer": "features.7", "upsample": True}, 80 * 224 * 224),
        ({"name": "layer_activation", "layer": "features.7", "attribute_to_layer_input": True}, 3 * 224 * 224),
    ],
)
def test_a_layers_attribution_has_its_shape(method: dict[str, Any], elements: int) -> None:
    tensor = {"name": "x", "datatype": "FP32", "shape": [1, 3, 224, 224], "data": [0.0] * (3 * 224 * 224)}
    body = {"model": "efficientnet-lite0", "input": {"tensor": tensor}, "method": method}
    assert elements * 4 <= expected(body, image_card()) <= elements * 4 + META_BYTES
