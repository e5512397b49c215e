"""Runs one job by itself, from its payload to its result."""

from math import prod
from time import perf_counter

from schemas.errors import JobCancelled
from workers.evaluation.evaluate import evaluate
from workers.evaluation.evaluation_inputs import EvaluationInputs, make_evaluation_inputs
from workers.evaluation.perturbed_memory import perturbed_bytes
from workers.jobs.describe import describe
from workers.jobs.explaining import explaining
from workers.jobs.job import ClaimedJob, JobResult, PreparedJob
from workers.jobs.prepare import prepare_job
from workers.methods.explain import explain
from workers.methods.memory_budget import expanded_bytes
from workers.models.resident import ResidentModel

INDEX_OUTPUT_BYTES = 4  # models of integer inputs answer in single precision


def run_single(model: ResidentModel, claimed: ClaimedJob) -> JobResult:
    """Prepares, explains, evaluates and describes a job. Called in the job's own thread; parks in the engine.

    Raises:
        JobError: the input cannot be used, the model failed on it, memory ran out, or the job was cancelled.
    """
    if claimed.task.cancelled.is_set():
        raise JobCancelled("the job was cancelled")
    job = prepare_job(model, claimed)
    seed = job.spec.seed
    started = perf_counter()
    with explaining([claimed], job.task):
        evaluation_inputs = make_evaluation_inputs(model, job.spec, job.method, job.prepared, job.subject)
        with model.memory.lend(_needed_bytes(model, job, evaluation_inputs), job.task):
            outcome = explain(model.engine, job.task, job.method, job.subject, seed)
            quality = evaluate(model.engine, job.task, job.method, job.subject, outcome, evaluation_inputs, seed)
    return describe(model, job, outcome, quality, run_s=perf_counter() - started)


def _needed_bytes(model: ResidentModel, job: PreparedJob, evaluation_inputs: EvaluationInputs) -> int:
    """What the job holds in memory at once: the larger of its method and its metrics."""
    batch_rows = model.engine.batch_rows
    return max(
        expanded_bytes(job.method, job.subject, batch_rows, _output_bytes(model, job)),
        perturbed_bytes(evaluation_inputs.metrics, job.method, job.subject, batch_rows),
    )


def _output_bytes(model: ResidentModel, job: PreparedJob) -> int:
    """The size of one row of outputs that are maps; 0 for others, which are small compared with an input."""
    shape = model.card.output.shape if model.card.output else []
    if len(shape) < 2:
        return 0
    first = job.subject.inputs[0]
    return prod(shape) * (first.element_size() if first.is_floating_point() else INDEX_OUTPUT_BYTES)
