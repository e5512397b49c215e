"""Computes all metrics of one job, one after the other."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from math import isfinite
from typing import Any

from schemas.errors import NonFinite
from schemas.methods import AnyMethod
from schemas.metric_requests import AnyQuality
from schemas.metrics import QualityReport
from workers.engine.engine import Engine
from workers.engine.numerics import all_finite
from workers.engine.randomness.stream import RandomStream
from workers.engine.seams import Seams
from workers.engine.task import Task
from workers.evaluation.completeness import completeness, completeness_of
from workers.evaluation.deletion_insertion import deletion_insertion
from workers.evaluation.evaluation_inputs import EvaluationInputs
from workers.evaluation.evaluation_run import EvaluationRun
from workers.evaluation.infidelity import infidelity
from workers.evaluation.randomization import randomization
from workers.evaluation.sensitivity import sensitivity_max
from workers.methods.explain_inputs import ExplainInputs
from workers.methods.outcome import Outcome

Compute = Callable[[Any, EvaluationRun], Any]  # (request, run) -> the metric's part of the report

COMPUTE: dict[str, Compute] = {
    "completeness": completeness,
    "infidelity": infidelity,
    "sensitivity_max": sensitivity_max,
    "deletion_insertion": deletion_insertion,
    "randomization": randomization,
}


def evaluate(
    engine: Engine,
    task: Task,
    method: AnyMethod,
    subject: ExplainInputs,
    outcome: Outcome,
    inputs: EvaluationInputs,
    seed: int,
) -> QualityReport | None:
    """Computes the requested metrics of an explanation, and completeness where the method promises it.

    Runs in the job's own thread and waits for passes of the engine. Each metric that draws has a random stream of its
    own, which starts at the job's seed, so that its values do not depend on the other requested metrics.

    Returns:
        None if there is no metric, or if the attributions are not finite, for which the job fails later.

    Raises:
        JobError: as `workers.methods.explain.explain`; or a requested metric is not finite.
    """
    if not inputs.metrics:  # the task is not made live, which would keep part-filled passes waiting for it
        return report_by_default(outcome)
    if not all(map(all_finite, outcome.attributions)):
        return None
    task.random = None  # the explanation's own stream has ended
    run = EvaluationRun(
        engine, task, Seams(engine, task), method, replace(subject, targets=outcome.targets), outcome, inputs, seed
    )
    engine.enter(task)
    try:
        run.seams.remember(subject.inputs, outcome.outputs)
        metrics = {metric.name: _compute(metric, run) for metric in inputs.metrics if not metric.runs_on_copy}
        if not inputs.requests("completeness"):
            metrics["completeness"] = completeness(None, run)
    finally:
        engine.leave(task)
    metrics |= {metric.name: _compute(metric, run) for metric in inputs.metrics if metric.runs_on_copy}
    report = QualityReport(**metrics)
    found = report.model_dump(exclude_none=True)
    if not _is_finite(found):
        raise NonFinite("a quality metric is NaN or infinite; the model overflows on perturbed inputs")
    return report if found else None


def report_by_default(outcome: Outcome) -> QualityReport | None:
    """Completeness, the one metric that a result has unasked; None where it is not defined, or not finite."""
    found = completeness_of(outcome)
    report = QualityReport(completeness=found) if found else None
    return report if report is not None and _is_finite(report.model_dump(exclude_none=True)) else None


def _compute(metric: AnyQuality, run: EvaluationRun) -> Any:
    with _random_stream(run) if metric.draws else nullcontext():
        return COMPUTE[metric.name](metric, run)


@contextmanager
def _random_stream(run: EvaluationRun) -> Iterator[None]:
    """Gives the task a new random stream, entered, and none afterwards."""
    run.task.random = RandomStream(run.seed, run.engine.view.device)
    try:
        with run.task.random:
            yield
    finally:
        run.task.random = None


def _is_finite(found: Any) -> bool:
    if isinstance(found, dict):
        return all(map(_is_finite, found.values()))
    if isinstance(found, list):
        return all(map(_is_finite, found))
    return not isinstance(found, float) or isfinite(found)
