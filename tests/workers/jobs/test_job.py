"""A claimed job, as the engine and the pool see it."""

from schemas.methods import Saliency
from tests.workers.jobs.claims import claimed
from tests.workers.jobs.net import KEY, spec


def test_a_claimed_job_has_a_task_of_its_own() -> None:
    job = claimed(spec(Saliency(), priority="batch", rows=7), b"", "a", created_ms=1_000, started_ms=1_250)
    assert (job.id, job.model_key, job.queued_ms) == ("a", KEY, 250)
    assert job.spec is job.claim.spec
    assert (job.task.id, job.task.priority, job.task.total_rows, job.task.rows) == ("a", "batch", 7, 0)
    assert not job.task.cancelled.is_set()
    assert job.model is None


def test_equal_claims_are_different_jobs() -> None:
    first, second = claimed(spec(Saliency()), b""), claimed(spec(Saliency()), b"")
    assert first != second
    assert len({first, second}) == 2
    assert first.task is not second.task
