"""Runs jobs with equal method parameters as one Captum call.

On a model whose rows take microseconds, the cost of a job is Captum's Python code, its thread and the job store. Such
jobs are concatenated along the batch where this does not change their results: methods of the shared lane that draw
nothing and compute each example separately. Every sum keeps the order it has alone, because each example's steps are
expanded in chunks of the same size.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from time import perf_counter
from typing import Any

import torch

from schemas.errors import JobCancelled, JobError
from schemas.jobs import JobSpec
from schemas.methods import METHODS, stored_method
from workers.engine.engine import Engine
from workers.engine.task import Task
from workers.evaluation.evaluate import report_by_default
from workers.jobs.describe import describe
from workers.jobs.explaining import explaining
from workers.jobs.job import ClaimedJob, FailedJob, JobEnd, PreparedJob
from workers.jobs.prepare import prepare_job
from workers.jobs.single import run_single
from workers.jobs.tuning import COALESCED_RUN_S
from workers.methods.explain import explain
from workers.methods.explain_inputs import ExplainInputs, Tensors, chunk_rows
from workers.methods.memory_budget import expanded_bytes
from workers.methods.outcome import Outcome
from workers.models.resident import ResidentModel


def group_key(spec: JobSpec) -> Hashable | None:
    """A key that is equal for jobs that may be coalesced; None for a job that must run by itself.

    Jobs of different owners are kept apart, since owners take turns.
    """
    if spec.quality or not METHODS[spec.method["name"]].coalesces:
        return None
    method = stored_method(spec.method)
    if method.adaptive or method.path_frames:
        return None
    return spec.model, spec.version, spec.owner, spec.priority, spec.input_kind, repr(sorted(spec.method.items()))


def coalescible_rows(engine: Engine) -> int:
    """How many rows the engine computes in `COALESCED_RUN_S`, measured on its passes so far; 0 before the first."""
    stats = engine.stats
    return int(COALESCED_RUN_S * stats.rows / stats.seconds) if stats.seconds else 0


def run_coalesced(model: ResidentModel, jobs: Sequence[ClaimedJob]) -> list[JobEnd]:
    """Prepares, explains and describes jobs of equal `group_key`, one Captum call for each shape of input.

    A job that fails does so alone. Called in a thread of the group; parks in the engine.

    Returns:
        One end for each job, in no particular order.
    """
    prepared, ends = _prepare_all(model, jobs)
    by_shape: dict[Hashable, list[PreparedJob]] = defaultdict(list)
    for job in prepared:
        by_shape[_shape_key(job.subject)].append(job)
    for members in by_shape.values():
        try:
            ends += _explain_as_one(model, members)
        except Exception:  # one by one, to find the job that fails
            for job in members:
                job.claimed.run = None
            ends += [_run_or_fail(model, job.claimed) for job in members]
    return ends


def _prepare_all(model: ResidentModel, jobs: Sequence[ClaimedJob]) -> tuple[list[PreparedJob], list[JobEnd]]:
    """The jobs that could be prepared, and the ends of the others."""
    prepared: list[PreparedJob] = []
    failed: list[JobEnd] = []
    method = stored_method(jobs[0].spec.method)
    for job in jobs:
        try:
            if job.task.cancelled.is_set():
                raise JobCancelled("the job was cancelled")
            prepared.append(prepare_job(model, job, method))
        except Exception as error:
            failed.append(FailedJob(job, error))
    return prepared, failed


def _run_or_fail(model: ResidentModel, job: ClaimedJob) -> JobEnd:
    try:
        return run_single(model, job)
    except Exception as error:
        return FailedJob(job, error)


def _explain_as_one(model: ResidentModel, jobs: list[PreparedJob]) -> list[JobEnd]:
    """One Captum call for jobs of equal shape, its outcome cut apart along the examples.

    Raises:
        Whatever the call raises; it concerns all jobs.
    """
    first = jobs[0]
    subject = _concatenated([job.subject for job in jobs])
    whole = Task(first.claimed.id, first.spec.priority, first.spec.owner, trace_id=first.task.trace_id)
    chunk = chunk_rows(model.engine.batch_rows, first.subject.examples)  # what one job alone expands at once
    expanded = chunk * len(jobs) // 2
    started = perf_counter()
    for job in jobs:
        job.claimed.run = whole
    with (
        explaining([job.claimed for job in jobs], whole),
        model.memory.lend(expanded_bytes(first.method, subject, expanded), whole),
    ):
        outcome = explain(model.engine, whole, first.method, subject, first.spec.seed, batch_rows=expanded)
    run_s = perf_counter() - started
    ends: list[JobEnd] = []
    start = 0
    for job in jobs:
        stop = start + job.subject.examples
        _book(job.task, whole, whole.rows * job.subject.examples // subject.examples)
        own = _sliced(outcome, start, stop)
        try:
            ends.append(describe(model, job, own, report_by_default(own), run_s=run_s))
        except JobError as error:
            ends.append(FailedJob(job.claimed, error))
        start = stop
    return ends


def _book(task: Task, whole: Task, rows: int) -> None:
    """Books a coalesced run on one of its jobs: the rows of its own examples, and the time of all passes."""
    task.rows = rows
    task.passes = whole.passes
    task.pass_places = whole.pass_places
    task.pass_s = whole.pass_s
    task.parked_s = whole.parked_s


def _shape_key(subject: ExplainInputs) -> Hashable:
    """A key that is equal for inputs that can be concatenated along the examples."""
    tensors = subject.inputs + subject.additional_forward_args
    shapes = tuple((tensor.dtype, tensor.shape[1:]) for tensor in tensors)
    no_targets, no_baselines = subject.targets is None, subject.baselines is None
    return shapes, subject.examples, no_targets, _target_dimensions(subject), no_baselines


def _target_dimensions(subject: ExplainInputs) -> int:
    """0 for targets that are indices, else the number of dimensions of a place."""
    first = subject.targets[0] if subject.targets else 0
    return 0 if isinstance(first, int) else len(first)


def _concatenated(subjects: list[ExplainInputs]) -> ExplainInputs:
    first = subjects[0]
    targets: Any = None
    if first.targets is not None:
        targets = [target for subject in subjects for target in _targets_per_example(subject)]
    return ExplainInputs(
        inputs=_cat(subject.inputs for subject in subjects),
        additional_forward_args=_cat(subject.additional_forward_args for subject in subjects),
        targets=targets,
        baselines=None if first.baselines is None else _cat(subject.baselines or () for subject in subjects),
        baseline_distribution=None,
        feature_mask=None,
        layer_mask=None,
        layer_inputs=(),
        layer_additional_forward_args=(),
        layer_baselines=None,
    )


def _targets_per_example(subject: ExplainInputs) -> list[Any]:
    """One target per example; a single target stands for all examples."""
    targets: list[Any] = list(subject.targets or ())
    return targets if len(targets) == subject.examples else targets * subject.examples


def _cat(parts: Iterable[Tensors]) -> Tensors:
    return tuple(torch.cat(column) for column in zip(*parts, strict=True))


def _sliced(outcome: Outcome, start: int, stop: int) -> Outcome:
    """The outcome of the examples from `start` to `stop`."""
    return Outcome(
        tuple(tensor[start:stop] for tensor in outcome.attributions),
        outcome.outputs[start:stop],
        None if outcome.targets is None else outcome.targets[start:stop],
        None if outcome.delta is None else outcome.delta[start:stop],
        None if outcome.difference is None else outcome.difference[start:stop],
    )
