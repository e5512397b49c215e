"""Counters and histograms as they stand in the job store."""

import math

import pytest
from prometheus_client.metrics_core import Metric

from schemas.model_key import ModelKey
from schemas.telemetry import names
from service.monitoring.measured_metrics import MEASURED, ZEROS, measured_families

MODEL = ModelKey("m", "1")
TOTAL = names.STAGE_SECONDS.series("saliency", "batch", "total")
TRACE = "0af7651916cd43dd8448eb211c80319c"


def family(name: str, series: dict[str, str]) -> Metric:
    return next(one for one in measured_families({MODEL: series}) if one.name == name.removesuffix("_total"))


def stage_samples(series: dict[str, str]) -> dict[str, float]:
    """Counts by bound, and the sum and the count."""
    found = family(names.STAGE_SECONDS.name, series).samples
    return {one.labels.get("le", one.name.rpartition("_")[2]): one.value for one in found}


def test_buckets_are_cumulative_and_all_are_there() -> None:
    found = stage_samples({f"{TOTAL} 0.5": "3", f"{TOTAL} 1.0": "2", f"{TOTAL} +Inf": "1", f"{TOTAL} sum": "2002.5"})
    bounds = [str(bound) for bound in names.STAGE_SECONDS.buckets]
    assert list(found) == [*bounds, "+Inf", "count", "sum"]
    assert [found[bound] for bound in ("0.25", "0.5", "1.0", "900.0", "+Inf")] == [0, 3, 5, 5, 6]
    assert (found["count"], found["sum"]) == (6, 2002.5)


def test_a_bound_of_another_version_counts_in_the_next_larger_one() -> None:
    found = stage_samples({f"{TOTAL} 0.3": "4", f"{TOTAL} 5000.0": "1"})
    assert [found[bound] for bound in ("0.25", "0.5", "900.0", "+Inf")] == [0, 4, 4, 5]


def test_an_exemplar_stands_at_its_bucket() -> None:
    series = {f"{TOTAL} 0.5": "3", f"{TOTAL} 0.5 exemplar": f"{TRACE} 0.31 1700000000.5"}
    found = [one for one in family(names.STAGE_SECONDS.name, series).samples if one.exemplar]
    assert [one.labels["le"] for one in found] == ["0.5"]
    assert found[0].exemplar is not None
    assert (found[0].exemplar.labels, found[0].exemplar.value) == ({"trace_id": TRACE}, 0.31)


def test_rare_events_are_zero_before_the_first() -> None:
    ends = family(names.JOBS_ENDED.name, {names.JOBS_ENDED.series("batch", "failed", "worker_lost"): "2"}).samples
    by_labels = {tuple(one.labels.values())[1:]: one.value for one in ends}
    assert by_labels["batch", "failed", "worker_lost"] == 2
    assert by_labels["interactive", "failed", "worker_lost"] == 0
    assert by_labels["interactive", "succeeded", "-"] == 0
    assert {code for _, status, code in by_labels if status == "failed"} >= {"stalled", "out_of_memory", "unreadable"}
    repeated = family(names.JOBS_REPEATED.name, {}).samples
    assert {one.labels["reason"]: one.value for one in repeated} == {"lost": 0, "stalled": 0, "released": 0}
    assert ZEROS.keys() <= MEASURED.keys()


@pytest.mark.parametrize(
    "series",
    [
        {"": "1"},
        {"attribution_of_a_later_version_total x": "1"},
        {TOTAL: "1"},
        {f"{TOTAL} 0.5 more and more": "1"},
        {f"{TOTAL} nan": "1"},
        {f"{TOTAL} 0.5": "many"},
        {f"{TOTAL} 0.5": "nan", f"{TOTAL} sum": "inf"},
        {f"{TOTAL} 0.5 exemplar": ""},
        {f"{TOTAL} 0.5 exemplar": '"} 1 2 0.3 1'},
        {f"{TOTAL} 0.5 exemplar": f"{TRACE} nan nan"},
        {names.STAGE_SECONDS.name: "1"},
        {names.JOB_ROWS.series("saliency", "batch"): "\N{REPLACEMENT CHARACTER}"},
        {f"{names.JOB_ROWS.series('saliency', 'batch')} more": "1"},
    ],
)
def test_what_no_version_writes_is_left_out(series: dict[str, str]) -> None:
    families = list(measured_families({MODEL: series}))
    assert [one.name for one in families] == [name.removesuffix("_total") for name in MEASURED]
    for one in families:
        for sample in one.samples:
            assert math.isfinite(sample.value)
            assert sample.value == 0
            assert not sample.exemplar
