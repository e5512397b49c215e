"""What a real result adds to the metrics for operators."""

from dataclasses import replace
from typing import Any

import pytest
from safetensors.torch import save

from schemas.jobs import JobSpec
from schemas.methods import IntegratedGradients, Saliency
from schemas.telemetry import names
from tests.workers.jobs.claims import claimed
from tests.workers.jobs.net import example, spec
from workers.jobs.job import JobResult
from workers.jobs.measured_results import measure_result
from workers.jobs.measurements import Increments, Measurements
from workers.jobs.single import run_single
from workers.models.resident import ResidentModel

TRACE = "0af7651916cd43dd8448eb211c80319c"


def measured(result: JobResult) -> Increments:
    measurements = Measurements()
    measure_result(measurements, result, meta_bytes=700, finish_s=0.25)
    (increments,) = measurements.take().values()
    return increments


def run(model: ResidentModel, given: JobSpec) -> JobResult:
    return run_single(model, claimed(given, save({"input.0": example(1.0)})))


def total(increments: Increments, definition: names.Definition, *labels: str) -> float:
    """Observations of a histogram."""
    series = definition.series(*labels)
    found = increments.counts.items()
    return sum(v for name, v in found if name.rpartition(" ")[0] == series and not name.endswith(" sum"))


QUALITY: list[dict[str, Any]] = [
    {"name": "infidelity", "perturbation": "noise", "n_perturb_samples": 3, "noise_scale": 0.1, "normalize": True},
    {"name": "sensitivity_max", "perturb_radius": 0.02, "n_perturb_samples": 3},
]


def test_stages_work_size_and_trust_are_measured(model: ResidentModel) -> None:
    result = run(model, spec(IntegratedGradients(n_steps=20)))
    increments = measured(result)
    for stage in ("queued", "prepare", "wait", "pass", "finish", "total"):
        assert total(increments, names.STAGE_SECONDS, "integrated_gradients", "interactive", stage) == 1
    series = names.STAGE_SECONDS.series("integrated_gradients", "interactive", "finish")
    assert increments.counts[f"{series} sum"] == 0.25
    rows = increments.counts[names.JOB_ROWS.series("integrated_gradients", "interactive")]
    passes = increments.counts[names.JOB_PASSES.series("integrated_gradients", "interactive")]
    assert (rows, passes) == (result.meta.timing.rows, result.meta.timing.passes)
    size = names.RESULT_BYTES.series("integrated_gradients")
    assert increments.counts[f"{size} sum"] == 700 + len(result.tensors)
    assert total(increments, names.COMPLETENESS_ERROR, "integrated_gradients") == 1
    assert total(increments, names.EXPLAINED_SCORE) == 1
    best = result.meta.predictions[0][0].score
    assert increments.counts[f"{names.EXPLAINED_SCORE.series()} sum"] == pytest.approx(best)
    assert not increments.exemplars, "no trace is known"


def test_a_method_without_completeness_has_none_and_warnings_are_counted(model: ResidentModel) -> None:
    result = run(model, spec(Saliency()))
    warned = replace(result, meta=result.meta.model_copy(update={"warnings": ["one", "two"]}))
    increments = measured(warned)
    assert total(increments, names.COMPLETENESS_ERROR, "saliency") == 0
    assert increments.counts[names.RESULT_WARNINGS.series("saliency")] == 2


def test_requested_metrics_are_measured(model: ResidentModel) -> None:
    increments = measured(run(model, spec(Saliency(), quality=QUALITY)))
    assert total(increments, names.INFIDELITY, "saliency") == 1
    assert total(increments, names.SENSITIVITY, "saliency") == 1


def test_every_bucket_shows_the_trace_of_the_job(model: ResidentModel) -> None:
    traced = spec(Saliency(), traceparent=f"00-{TRACE}-b7ad6b7169203331-01")
    increments = measured(run(model, traced))
    assert increments.exemplars
    assert {text.split()[0] for text in increments.exemplars.values()} == {TRACE}
    assert len(increments.exemplars) <= len(increments.counts)


def test_a_trace_that_is_not_recorded_is_not_shown(model: ResidentModel) -> None:
    unsampled = spec(Saliency(), traceparent=f"00-{TRACE}-b7ad6b7169203331-00")
    assert not measured(run(model, unsampled)).exemplars
