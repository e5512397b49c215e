"""Waits for a job that was submitted before, by this client or by another."""

from __future__ import annotations

from attribution_client.core.explaining import Fetched, Submission, fetch
from attribution_client.core.following import Deadline, OnJob, follow, get_job
from attribution_client.core.sending import Retries
from attribution_client.core.steps import Flow
from attribution_client.wire.answers import Job


def wait(job: Submission | Job | str, retries: Retries, on_job: OnJob | None, timeout_s: float | None) -> Flow[Fetched]:
    """The result of the job, once it has ended. A wait that is given up leaves the job alone.

    Raises:
        WaitedTooLong: it has not ended in the time given.
        JobError: it has no result.
    """
    deadline = Deadline.after(timeout_s)
    submission = job if isinstance(job, Submission) else None
    if isinstance(job, str):
        latest = yield from get_job(job, retries)
    else:
        latest = job.job if isinstance(job, Submission) else job
    if on_job is not None:
        on_job(latest)
    ended = yield from follow(latest, retries, on_job, deadline)
    return (yield from fetch(ended, retries, submission))
