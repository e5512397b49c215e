"""The rows that quality metrics add to a job."""

from typing import Any

import pytest

from schemas.jobs import JobSpec
from schemas.models import ModelCard
from schemas.requests import ExplainRequest
from service.openapi.examples import NUCLEI
from service.submission import prepare
from tests.service.cards import image_card, table_card, text_card
from tests.service.validation.refusals import picture, row, text

ASKED = {"quality": ["deletion_insertion"]}


def spec_of(body: dict[str, Any], card: ModelCard) -> JobSpec:
    return prepare(ExplainRequest.model_validate(body), card).spec


@pytest.mark.parametrize(
    ("method", "metric", "more"),
    [
        ("integrated_gradients", "completeness", 0),
        ("occlusion", "completeness", 1),
        ({"name": "gradient_shap", "baseline": "background"}, "completeness", 20),
        ("integrated_gradients", "infidelity", 10),
        ("saliency", "sensitivity_max", 10),
        ("integrated_gradients", {"name": "sensitivity_max", "n_perturb_samples": 3}, 3 * 50),
        ("gradient_shap", {"name": "sensitivity_max", "n_perturb_samples": 3}, (3 + 1) * 5),
        ("occlusion", {"name": "sensitivity_max", "n_perturb_samples": 3}, 3 * 31),
        (
            {"name": "shapley_value_sampling", "n_samples": 2},
            {"name": "sensitivity_max", "n_perturb_samples": 3},
            (3 + 1) * (2 * 30 + 1),
        ),
        ("saliency", "deletion_insertion", 2 * 30),  # no more steps than columns
        ("saliency", {"name": "deletion_insertion", "n_steps": 8}, 2 * 8),
        ("integrated_gradients", "randomization", 4 * 52),
        ("saliency", {"name": "randomization", "stages": 2}, 2),
    ],
)
def test_rows_of_a_figure(method: Any, metric: Any, more: int) -> None:
    plain, asked = (spec_of(row(method=method, quality=q), table_card()).rows for q in ([], [metric]))
    assert asked - plain == more
    two = {"input": {"features": [NUCLEI] * 2}}
    assert spec_of(row(method=method, quality=[metric], **two), table_card()).rows == 2 * asked


def test_rows_of_curves() -> None:
    assert spec_of(picture(**ASKED), image_card()).rows == 1 + 2 * 32
    grid = {"name": "feature_ablation", "feature_mask": {"grid": [3, 4]}}
    assert spec_of(picture(method=grid, **ASKED), image_card()).rows == 14 + 2 * 12
    assert spec_of(text(**ASKED), text_card()).rows == 1 + 2 * (len("good") + 2)


def test_curves_of_layers_that_lie_over_the_input() -> None:
    upsampled = {"name": "layer_grad_cam", "upsample": True}
    assert spec_of(picture(method=upsampled, **ASKED), image_card()).quality
    assert spec_of(text(method="layer_integrated_gradients", **ASKED), text_card()).quality
