"""Follows a job by its events until it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from urllib.parse import quote

from attribution_client.core.backoff import Backoff
from attribution_client.core.event_stream import EventParser
from attribution_client.core.sending import Retries, refusal, send_json
from attribution_client.core.steps import (
    READ_TIMEOUT_S,
    Call,
    Flow,
    Listen,
    NextChunk,
    Pause,
    Reply,
    StopListening,
    TransportFailure,
)
from attribution_client.decode import decode
from attribution_client.errors import (
    BadAnswer,
    ServiceError,
    Unreachable,
    WaitedTooLong,
    job_error,
    service_error,
)
from attribution_client.wire.answers import Comparison, Job, JobFailure, Problem

TERMINAL = frozenset({"succeeded", "failed", "cancelled"})
PATIENCE = 8  # attempts without an event before the client stops following a job: about ten seconds
EVENTS = "text/event-stream"
OnJob = Callable[[Job], None]
OnComparison = Callable[[Comparison], None]


@dataclass(frozen=True)
class Deadline:
    """A moment of the monotonic clock, in seconds; None: no moment."""

    moment_s: float | None = None
    clock: Callable[[], float] = monotonic

    @classmethod
    def after(cls, timeout_s: float | None) -> Deadline:
        """The moment that is so many seconds from now."""
        return cls(None if timeout_s is None else monotonic() + timeout_s)

    @property
    def left_s(self) -> float:
        """The seconds that are left, from 0."""
        return float("inf") if self.moment_s is None else max(0.0, self.moment_s - self.clock())

    def check(self, job: str) -> None:
        """Raises `WaitedTooLong` where no time is left."""
        if self.left_s <= 0.0:
            raise WaitedTooLong(f"job {job} has not ended in the time given", job)


def job_path(job_id: str, below: str = "") -> str:
    """The path of a job, or of what is below it."""
    return f"/jobs/{quote(job_id, safe='')}{below}"


def get_job(job_id: str, retries: Retries) -> Flow[Job]:
    """The job as it is now."""
    document = yield from send_json(Call("GET", job_path(job_id)), retries)
    return decode(Job, document)


def cancel_job(job_id: str, retries: Retries) -> Flow[Job]:
    """Cancels the job. A job that has ended does not change."""
    document = yield from send_json(Call("DELETE", job_path(job_id)), retries)
    return decode(Job, document)


def follow(job: Job, retries: Retries, on_job: OnJob | None = None, deadline: Deadline = Deadline()) -> Flow[Job]:
    """The job once it has ended. `on_job` is called with each change.

    A broken stream is opened again; between two streams the job is polled once.

    Raises:
        WaitedTooLong: the deadline has passed.
        ServiceError, Unreachable: the service refused, or did not answer for about ten seconds.
    """
    pauses = Backoff(first_s=0.1, most_s=2.0)
    silent = 0
    while job.status not in TERMINAL:
        deadline.check(job.id)
        try:
            before = job
            job = yield from _until_stream_ends(job, on_job, deadline)
            if job.status in TERMINAL:
                break
            if job is not before:
                pauses.reset()
                silent = 0
            job = yield from get_job(job.id, retries)
            if on_job is not None:
                on_job(job)
        except (Unreachable, ServiceError) as error:
            silent += 1
            if silent >= PATIENCE or (isinstance(error, ServiceError) and error.status < 500):
                raise
        if job.status not in TERMINAL:
            yield Pause(min(pauses.next_s(), deadline.left_s))
    return job


def _until_stream_ends(job: Job, on_job: OnJob | None, deadline: Deadline) -> Flow[Job]:
    """The job as the last event of one stream told it."""
    call = Call("GET", job_path(job.id, "/events"), accept=EVENTS, timeout_s=min(READ_TIMEOUT_S, deadline.left_s))
    parser = EventParser()
    try:
        reply: Reply = yield Listen(call)
        _check_stream(reply, call)
        while job.status not in TERMINAL and (chunk := (yield NextChunk())) is not None:
            deadline.check(job.id)
            for event, data in parser.feed(chunk):
                job = _told(event, data, job)
                if event == "job" and on_job is not None:
                    on_job(job)
    except TransportFailure as failure:
        deadline.check(job.id)
        raise Unreachable(str(failure)) from failure
    yield StopListening()
    return job


def _check_stream(reply: Reply, call: Call) -> None:
    if reply.status >= 300:
        raise refusal(reply, call)
    if reply.media_type != EVENTS:
        raise BadAnswer(f"{call.method} {call.path}: expected {EVENTS}, the answer has {reply.media_type}")


def _told(event: str, data: str, job: Job) -> Job:
    """The job after an event; the one before where the event tells of none."""
    if event not in {"job", "problem"}:
        return job
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadAnswer(f"an event of job {job.id} is not JSON: {error}") from None
    if event == "problem":
        raise service_error(decode(Problem, document))
    told = decode(Job, document)
    if told.id != job.id:
        raise BadAnswer(f"the events of job {job.id} tell of another one")
    return told


def follow_comparison(
    comparison: Comparison,
    retries: Retries,
    on_change: OnComparison | None = None,
    deadline: Deadline = Deadline(),
) -> Flow[Comparison]:
    """The comparison once all its jobs have ended, polled at growing intervals. Raises as `follow`."""
    pauses = Backoff(first_s=0.1, most_s=1.0)
    path = f"/comparisons/{quote(comparison.id, safe='')}"
    while comparison.status not in TERMINAL:
        if deadline.left_s <= 0.0:
            raise WaitedTooLong(f"comparison {comparison.id} has not ended in the time given", comparison.id)
        yield Pause(min(pauses.next_s(), deadline.left_s))
        document = yield from send_json(Call("GET", path), retries)
        comparison = decode(Comparison, document)
        if on_change is not None:
            on_change(comparison)
    return comparison


def succeeded(job: Job) -> Job:
    """The job, if it has a result.

    Raises:
        JobError: it failed or was cancelled; the class says why.
    """
    if job.status == "succeeded":
        return job
    raise job_error(job.error or JobFailure("cancelled", "The job was cancelled", "by this client or another"), job.id)
