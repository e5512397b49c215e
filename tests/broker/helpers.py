"""Jobs to play with."""

from broker import Claim, JobStore, NewJob, WorkerQueue
from schemas.jobs import JobSpec
from schemas.model_key import ModelKey
from schemas.requests import Priority

MODEL = "squarer"
QUEUE = ModelKey(MODEL, "1")
WAIT_MS = 10_000  # longer than anything here takes; never waited for in full


def spec(priority: Priority = "interactive", model: str = MODEL, version: str = "1") -> JobSpec:
    return JobSpec(
        model=model,
        version=version,
        input_kind="features",
        examples=1,
        method={"name": "saliency", "abs": True},
        priority=priority,
    )


async def submit_job(store: JobStore, job: NewJob) -> tuple[str, str]:
    """The job's id, and how the submission ended."""
    submitted = await store.jobs.submit(job)
    return submitted.record.id, submitted.outcome


async def submit(
    store: JobStore, priority: Priority = "interactive", payload: bytes = b"in", model: str = MODEL
) -> str:
    """A new job's id."""
    job_id, outcome = await submit_job(store, NewJob(spec(priority, model), payload, rows=50))
    assert outcome == "created"
    return job_id


def claim_one(queue: WorkerQueue, block_ms: int = 0) -> Claim:
    """Exactly one job."""
    (claim,) = queue.claims.take({QUEUE: 1}, block_ms)
    return claim
