"""The span `explain` of jobs while their method runs, with which the engine's spans of passes are linked."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from workers.engine.task import Task
from workers.jobs.job import ClaimedJob
from workers.jobs.job_trace import fail_with


@contextmanager
def explaining(jobs: Sequence[ClaimedJob], task: Task) -> Iterator[None]:
    """Records the body as a span of each job. Does nothing for jobs whose trace is not recorded.

    Args:
        jobs: that the body explains, several where they are coalesced.
        task: whose rows the engine computes for all of them.
    """
    begun = [job.trace.start("explain") for job in jobs if job.trace is not None]
    spans = tuple(span for span in begun if span is not None)
    if not spans:
        yield
        return
    for span in spans:
        span.annotate({"attribution.coalesced_jobs": len(jobs)})
    task.spans = spans
    try:
        yield
    except BaseException as error:
        for span in spans:
            fail_with(span, error)
        raise
    finally:
        task.spans = ()
        for span in spans:
            span.end()
