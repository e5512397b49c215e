"""What the metrics for operators say of a result: its stages, its work, its size, and how far it can be trusted."""

from collections.abc import Iterator
from time import perf_counter

from schemas.metrics import QualityReport
from schemas.results import ResultMeta
from schemas.telemetry import names
from schemas.telemetry.definitions import Definition
from workers.jobs.job import JobResult
from workers.jobs.measurements import Measurements


def measure_result(measurements: Measurements, result: JobResult, meta_bytes: int, finish_s: float) -> None:
    """Measures a job whose result is stored.

    Args:
        meta_bytes: size of the result without its tensors.
        finish_s: time that storing it took.
    """
    job, meta = result.job, result.meta
    model, method, priority = job.model_key, str(job.spec.method["name"]), job.spec.priority
    context = job.context
    trace_id = context.trace_id if context is not None and context.is_sampled else ""  # of others no one can see more
    size = float(meta_bytes + len(result.tensors))
    stages, quality = _stages(result, finish_s), list(_quality(meta))
    with measurements.of(model) as measured:
        for stage, seconds in stages.items():
            labels = (method, priority, stage)
            measured.observe(names.STAGE_SECONDS, *labels, value=max(0.0, seconds), trace_id=trace_id)
        measured.count(names.JOB_ROWS, method, priority, amount=meta.timing.rows)
        measured.count(names.JOB_PASSES, method, priority, amount=meta.timing.passes)
        measured.observe(names.RESULT_BYTES, method, value=size, trace_id=trace_id)
        measured.count(names.RESULT_WARNINGS, method, amount=len(meta.warnings))
        for score in result.explained_scores:
            measured.observe(names.EXPLAINED_SCORE, value=min(1.0, max(0.0, score)), trace_id=trace_id)
        for definition, values in quality:
            for value in values:
                measured.observe(definition, method, value=max(0.0, value), trace_id=trace_id)


def _stages(result: JobResult, finish_s: float) -> dict[names.Stage, float]:
    """Seconds by stage."""
    job, timing = result.job, result.meta.timing
    return {
        "queued": timing.queued_ms / 1e3,
        "prepare": timing.prepare_ms / 1e3,
        "wait": timing.wait_ms / 1e3,
        "pass": timing.pass_ms / 1e3,
        "finish": finish_s,
        "total": timing.queued_ms / 1e3 + perf_counter() - job.claimed_at_s,
    }


def _quality(meta: ResultMeta) -> Iterator[tuple[Definition, list[float]]]:
    """Completeness where the method promises it, and the metrics that the request has asked for."""
    quality = meta.quality or QualityReport()
    completeness = [one.relative_error for one in quality.completeness or ()]
    yield names.COMPLETENESS_ERROR, [error for error in completeness if error is not None]
    if quality.infidelity is not None:
        yield names.INFIDELITY, quality.infidelity.values
    if quality.sensitivity_max is not None:
        yield names.SENSITIVITY, quality.sensitivity_max.values
