"""Runs one job by itself, from its payload to its result."""

from math import prod
from time import perf_counter

from workers.evaluation.audit import Audit, make_audit
from workers.evaluation.memory import perturbed_bytes
from workers.evaluation.report import assess
from workers.jobs.describe import describe
from workers.jobs.job import ClaimedJob, JobResult, PreparedJob
from workers.jobs.prepare import prepare_job
from workers.methods.explain import explain
from workers.methods.memory import expanded_bytes
from workers.models.load import ResidentModel

INDEX_OUTPUT_BYTES = 4  # models of integer inputs answer in single precision


def run_single(model: ResidentModel, claimed: ClaimedJob) -> JobResult:
    """Prepares, explains, evaluates and describes a job. Called in the job's own thread; parks in the engine.

    Raises:
        JobError: the input cannot be used, the model failed on it, memory ran out, or the job was cancelled.
    """
    job = prepare_job(model, claimed)
    seed = job.spec.seed
    started = perf_counter()
    audit = make_audit(model, job.spec, job.method, job.prepared, job.subject)
    with model.memory.lend(_needed_bytes(model, job, audit)):
        outcome = explain(model.engine, job.task, job.method, job.subject, seed)
        quality = assess(model.engine, job.task, job.method, job.subject, outcome, audit, seed)
    return describe(model, job, outcome, quality, run_s=perf_counter() - started)


def _needed_bytes(model: ResidentModel, job: PreparedJob, audit: Audit) -> int:
    """What the job holds in memory at once: the larger of its method and its metrics."""
    batch_rows = model.engine.batch_rows
    return max(
        expanded_bytes(job.method, job.subject, batch_rows, _output_bytes(model, job)),
        perturbed_bytes(audit.metrics, job.method, job.subject, batch_rows),
    )


def _output_bytes(model: ResidentModel, job: PreparedJob) -> int:
    """The size of one row of outputs that are maps; 0 for others, which are small beside an input."""
    shape = model.card.output.shape if model.card.output else []
    if len(shape) < 2:
        return 0
    first = job.subject.inputs[0]
    return prod(shape) * (first.element_size() if first.is_floating_point() else INDEX_OUTPUT_BYTES)
