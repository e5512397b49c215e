"""All metrics of one job, one after the other."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from math import isfinite
from typing import Any

from schemas.errors import NonFinite
from schemas.methods import AnyMethod
from schemas.metric_requests import DeletionInsertion, Infidelity, Randomization, SensitivityMax
from schemas.metrics import QualityReport
from workers.engine.engine import Engine
from workers.engine.numerics import all_finite
from workers.engine.randomness.stream import RandomStream
from workers.engine.seams import Seams
from workers.engine.task import Task
from workers.evaluation.audit import Audit
from workers.evaluation.completeness import completeness
from workers.evaluation.deletion_insertion import deletion_insertion
from workers.evaluation.infidelity import infidelity
from workers.evaluation.randomization import randomization
from workers.evaluation.sensitivity import sensitivity_max
from workers.methods.explain import Outcome
from workers.methods.explain_inputs import ExplainInputs


def assess(
    engine: Engine,
    task: Task,
    method: AnyMethod,
    subject: ExplainInputs,
    outcome: Outcome,
    audit: Audit,
    seed: int,
) -> QualityReport | None:
    """The metrics that `audit` wants of an outcome, and completeness where the method promises it; None for none.

    Each metric draws from a stream of its own that starts at the job's seed. Called in the job's own thread; parks in
    the engine.

    Raises:
        JobError: as `workers.methods.explain.explain`; or a metric is not finite.
    """
    if not audit.metrics and outcome.delta is None:
        return None
    if not all(map(all_finite, outcome.attributions)):
        return None  # the job fails of that
    question = replace(subject, targets=outcome.targets)
    task.random = None  # the explanation's own stream has ended
    engine.enter(task)
    try:
        report = _by_rows(engine, task, method, question, outcome, audit, seed)
    finally:
        engine.leave(task)
    asked = audit.wanted.get("randomization")
    if isinstance(asked, Randomization):  # on a copy, while this model serves others
        metric = randomization(asked, engine, task, method, question, outcome, audit, seed)
        report = report.model_copy(update={"randomization": metric})
    found = report.model_dump(exclude_none=True)
    if not _finite(found):
        if not audit.wanted:
            return None  # completeness was not asked for
        raise NonFinite("a quality metric is NaN or infinite; the model overflows on perturbed inputs")
    return report if found else None


def _by_rows(
    engine: Engine,
    task: Task,
    method: AnyMethod,
    subject: ExplainInputs,
    outcome: Outcome,
    audit: Audit,
    seed: int,
) -> QualityReport:
    """The metrics that are made of rows through the model itself."""
    seams = Seams(engine, task)
    seams.remember(subject.inputs, outcome.outputs)
    made: dict[str, Any] = {}
    for metric in audit.metrics:
        if isinstance(metric, DeletionInsertion):
            made[metric.name] = deletion_insertion(metric, seams, method, subject, outcome, audit, engine.batch_rows)
        elif isinstance(metric, Infidelity):
            with _drawing(task, seed, engine):
                made[metric.name] = infidelity(metric, seams, method, subject, outcome, audit)
        elif isinstance(metric, SensitivityMax):
            with _drawing(task, seed, engine):
                made[metric.name] = sensitivity_max(metric, engine, seams, task, method, subject, outcome)
    return QualityReport(
        completeness=completeness(seams, method, subject, outcome, asked="completeness" in audit.wanted), **made
    )


@contextmanager
def _drawing(task: Task, seed: int, engine: Engine) -> Iterator[None]:
    """The task draws from a new stream, and has none afterwards."""
    task.random = RandomStream(seed, engine.view.device)
    try:
        with task.random:
            yield
    finally:
        task.random = None


def _finite(found: Any) -> bool:
    if isinstance(found, dict):
        return all(map(_finite, found.values()))
    if isinstance(found, list):
        return all(map(_finite, found))
    return not isinstance(found, float) or isfinite(found)
