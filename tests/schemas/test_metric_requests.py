"""Metrics in a request: short forms, defaults, and the round trip through the job store."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from schemas.metric_requests import QUALITIES, QUALITY_NAMES, Infidelity, Quality, SensitivityMax, stored_quality

ADAPTER: TypeAdapter[list[Any]] = TypeAdapter(Quality)


def test_a_name_is_short_for_the_metric_with_its_defaults() -> None:
    assert ADAPTER.validate_python(["infidelity", {"name": "sensitivity_max"}]) == [Infidelity(), SensitivityMax()]
    assert ADAPTER.validate_python(list(QUALITY_NAMES)) == [cls() for cls in QUALITIES.values()]


def test_stored_metrics_are_read_back() -> None:
    metrics = ADAPTER.validate_python(["completeness", {"name": "infidelity", "n_perturb_samples": 3}])
    assert stored_quality([metric.model_dump() for metric in metrics]) == metrics


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (["infidelity", {"name": "infidelity", "normalize": True}], "infidelity is given twice"),
        (["accuracy"], "does not match any of the expected tags"),
        ([{"name": "infidelity", "stdevs": 0}], "greater than 0"),
        ([{"name": "randomization", "stages": 21}], "less than or equal to 20"),
    ],
)
def test_refused(value: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ADAPTER.validate_python(value)
