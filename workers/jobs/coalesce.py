"""Jobs that ask the same of different inputs, as one Captum call.

On a model whose rows cost next to nothing, a job costs what Captum's own code, threads and the job store cost. Such
jobs are concatenated along the batch where that changes nothing: methods of the shared lane that draw nothing, pool
nothing and compute each example for itself. The order of every sum stays as it is alone: each example's steps are
expanded as many at a time as they would be.
"""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from time import perf_counter
from typing import Any

import torch

from schemas.errors import JobCancelled, JobError
from schemas.jobs import JobSpec
from schemas.methods import METHODS, stored_method
from schemas.metrics import QualityReport
from workers.engine.engine import Engine
from workers.engine.task import Task
from workers.evaluation.completeness import told
from workers.jobs.result import Answer, Asked, Ready, answer, describe, make_ready
from workers.methods.explain import Outcome, explain
from workers.methods.explain_inputs import ExplainInputs, Tensors, chunk_rows
from workers.methods.memory import expanded_bytes
from workers.models.load import ResidentModel

SHORT_S = 0.02  # what a group may take: so long do others wait for a pass of theirs, and cancelled jobs for their end


def group_key(spec: JobSpec) -> Hashable | None:
    """Equal for jobs that may run together, None for one that must run by itself."""
    if spec.quality or not METHODS[spec.method["name"]].coalesces or stored_method(spec.method).adaptive:
        return None
    return spec.model, spec.version, spec.priority, spec.input_kind, repr(sorted(spec.method.items()))


def short_rows(engine: Engine) -> int:
    """How many rows the engine computes in `SHORT_S`, by its passes so far; 0 before the first."""
    stats = engine.stats
    return int(SHORT_S * stats.rows / stats.seconds) if stats.seconds else 0


def answer_together(model: ResidentModel, jobs: Sequence[tuple[Asked, Task]]) -> list[Answer | Exception]:
    """Prepares, explains and describes jobs of equal `group_key`. A job that fails does so alone.

    Returns, for each job, its answer or what went wrong.
    """
    results: list[Answer | Exception] = [RuntimeError("not computed")] * len(jobs)
    groups: dict[Hashable, list[tuple[int, Ready]]] = defaultdict(list)
    method = stored_method(jobs[0][0].spec.method)
    for index, (asked, task) in enumerate(jobs):
        try:
            if task.cancelled.is_set():
                raise JobCancelled("the job was cancelled")
            ready = make_ready(model, asked, method)
        except Exception as error:
            results[index] = error
        else:
            groups[_shape(ready.subject)].append((index, ready))
    for members in groups.values():
        try:
            outcome = _explain(model, [(ready, jobs[index][1]) for index, ready in members])
        except Exception:  # one by one, so that each learns its own fate
            for index, ready in members:
                results[index] = _alone(model, ready.asked, jobs[index][1])
            continue
        for (index, _), result in zip(members, outcome, strict=True):
            results[index] = result
    return results


def _alone(model: ResidentModel, asked: Asked, task: Task) -> Answer | Exception:
    try:
        return answer(model, task, asked.job_id, asked.spec, asked.payload, asked.queued_ms)
    except Exception as error:
        return error


def _explain(model: ResidentModel, members: list[tuple[Ready, Task]]) -> list[Answer | Exception]:
    """One Captum call for all, its outcome cut apart; each job has the rows of its examples."""
    subject = _joined([ready.subject for ready, _ in members])
    first = members[0][0]
    whole = Task(first.asked.job_id, first.asked.spec.priority)
    each = chunk_rows(model.engine.batch_rows, first.subject.examples)  # what one job alone would expand at once
    expanded = each * len(members) // 2
    started = perf_counter()
    with model.memory.lend(expanded_bytes(first.method, subject, expanded)):
        outcome = explain(model.engine, whole, first.method, subject, first.asked.spec.seed, batch_rows=expanded)
    run_s = perf_counter() - started
    results: list[Answer | Exception] = []
    start = 0
    for ready, task in members:
        stop = start + ready.subject.examples
        task.rows = whole.rows * ready.subject.examples // subject.examples
        task.passes, task.pass_rows, task.pass_s, task.parked_s = (
            whole.passes,
            whole.pass_rows,
            whole.pass_s,
            whole.parked_s,
        )
        try:
            part = _part(outcome, start, stop)
            results.append(describe(model, ready, part, task, _completeness(part), run_s=run_s))
        except JobError as error:
            results.append(error)
        start = stop
    return results


def _completeness(outcome: Outcome) -> QualityReport | None:
    """The one quality metric that is given unasked; jobs that ask for others run by themselves."""
    found = told(outcome)
    return QualityReport(completeness=found) if found else None


def _shape(subject: ExplainInputs) -> Hashable:
    """Equal for problems that can be concatenated."""
    tensors = subject.inputs + subject.additional_forward_args
    shapes = tuple((tensor.dtype, tensor.shape[1:]) for tensor in tensors)
    return (
        shapes,
        subject.examples,
        subject.targets is None,
        _depth(subject),
        subject.baselines is None,
    )


def _depth(subject: ExplainInputs) -> int:
    """0 for targets that are indices, else how many dimensions a place has."""
    first = subject.targets[0] if subject.targets else 0
    return 0 if isinstance(first, int) else len(first)


def _joined(subjects: list[ExplainInputs]) -> ExplainInputs:
    first = subjects[0]
    targets: Any = None if first.targets is None else [target for p in subjects for target in _each(p)]
    return ExplainInputs(
        inputs=_cat([p.inputs for p in subjects]),
        additional_forward_args=_cat([p.additional_forward_args for p in subjects]),
        targets=targets,
        baselines=None if first.baselines is None else _cat([p.baselines for p in subjects if p.baselines is not None]),
        baseline_distribution=None,
        feature_mask=None,
        layer_mask=None,
        layer_inputs=(),
        layer_additional_forward_args=(),
        layer_baselines=None,
    )


def _each(subject: ExplainInputs) -> list[Any]:
    """One target per example, where a single one may stand for all."""
    targets: list[Any] = list(subject.targets or ())
    return targets if len(targets) == subject.examples else targets * subject.examples


def _cat(parts: list[Tensors]) -> Tensors:
    return tuple(torch.cat(column) for column in zip(*parts, strict=True))


def _part(outcome: Outcome, start: int, stop: int) -> Outcome:
    return Outcome(
        tuple(tensor[start:stop] for tensor in outcome.attributions),
        outcome.outputs[start:stop],
        None if outcome.targets is None else outcome.targets[start:stop],
        None if outcome.delta is None else outcome.delta[start:stop],
        None if outcome.difference is None else outcome.difference[start:stop],
    )
