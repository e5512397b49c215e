"""Completeness and quality as metrics."""

import pytest

from attribution_client.mlflow.measures import Measures
from tests.client.mlflow.results import result


def completeness(relative: float | None) -> dict[str, object]:
    return {"attributions_sum": 1.0, "outputs_difference": 1.0, "error": 0.0, "relative_error": relative}


def summary(*reports: dict[str, object] | None) -> dict[str, float]:
    measures = Measures()
    for report in reports:
        measures.add(result(quality=report))
    return measures.summary()


def test_the_mean_and_the_largest_error_of_completeness() -> None:
    found = summary({"completeness": [completeness(0.1)]}, {"completeness": [completeness(0.3)]})
    assert found == pytest.approx({"completeness_error_mean": 0.2, "completeness_error_largest": 0.3})


def test_what_is_undefined_is_left_out() -> None:
    assert summary(None, {"completeness": [completeness(None)]}) == {}
    assert summary({"completeness": [completeness(None)]}, {"completeness": [completeness(0.25)]}) == {
        "completeness_error_mean": 0.25,
        "completeness_error_largest": 0.25,
    }


def test_every_metric_of_quality() -> None:
    curve = {"values": [1.0, 0.0]}
    similar = [{"spearman": 0.1, "spearman_abs": 0.2}]
    unknown = [{"spearman": None, "spearman_abs": None}]
    stage = {"first": "a", "last": "b", "layers": 1}
    found = summary(
        {
            "infidelity": {"perturbation": "noise", "n_perturb_samples": 2, "normalize": False, "values": [0.5]},
            "sensitivity_max": {"perturb_radius": 0.1, "n_perturb_samples": 2, "values": [0.75]},
            "deletion_insertion": {
                "unit": "words",
                "units": 2,
                "value": "probability",
                "deletion_baseline": "zero",
                "insertion_baseline": "zero",
                "fractions": [0.0, 1.0],
                "examples": [{"deletion": {**curve, "auc": 0.2}, "insertion": {**curve, "auc": 0.9}}],
            },
            "randomization": {
                "order": "cascading",
                "stages": [
                    {**stage, "examples": similar},
                    {**stage, "examples": unknown},
                    {**stage, "examples": [{"spearman": 0.1, "spearman_abs": 0.4}]},
                ],
            },
        }
    )
    assert found == pytest.approx(
        {
            "infidelity_mean": 0.5,
            "sensitivity_max_mean": 0.75,
            "sensitivity_max_largest": 0.75,
            "deletion_auc_mean": 0.2,
            "insertion_auc_mean": 0.9,
            "randomization_similarity_mean": 0.3,
        }
    )
