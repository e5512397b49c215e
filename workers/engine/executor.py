"""Runs work on the device, and runs it again in smaller pieces where it fails."""

import traceback
from collections import deque
from dataclasses import dataclass
from time import perf_counter

import structlog

from schemas.errors import JobError, JobFailed, OutOfMemory
from schemas.sentences import Sentence
from schemas.telemetry.spans import Tracer
from workers.engine.batch_limit import BatchLimit
from workers.engine.device.memory import is_out_of_memory, release_cached
from workers.engine.device.pass_device import Launched
from workers.engine.error_trace import without_data
from workers.engine.pass_span import pass_span
from workers.engine.stats import EngineStats
from workers.engine.task import Task
from workers.engine.view import ModelView
from workers.engine.work import Delivery, Pending, Work

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Executed(Launched):
    """Work that has been run. Its outcomes may be delivered once the device has computed them."""

    outcomes: list[Delivery]


class Executor:
    """Belongs to one engine's thread.

    After a lack of memory, work is run again with half of its rows. After any other error its jobs are run one by one,
    and then their rows, so that a bad job fails alone. With a tracer each try is a span.
    """

    def __init__(self, view: ModelView, batch_rows: int, tracer: Tracer | None = None) -> None:
        self.limit = BatchLimit(batch_rows)
        self.stats = EngineStats()
        self._view = view
        self._tracer = tracer

    def run(self, work: Work) -> Executed:
        """Runs all of the work. Every row of it has an outcome, or belongs to a job with an error."""
        rows, passes, host_s = self.stats.rows, self.stats.passes, 0.0
        outcomes: list[Delivery] = []
        failed: set[Pending] = set()  # their other rows need not be tried
        divided = False
        waiting = deque([work])
        while waiting:
            piece = waiting.popleft()
            try:
                started_s = perf_counter()
                with pass_span(self._tracer, piece):
                    outcomes += piece.run(self._view, self.stats)
                host_s += perf_counter() - started_s
                if piece.packed:
                    self.stats.shared_capacity_rows += piece.capacity(self.limit.rows)
            except Exception as error:  # the model's own code may raise anything
                retries = self._smaller(piece, error)
                if not retries:
                    retries = piece.apart()
                    divided = divided or bool(retries)
                if not retries:
                    pending = piece.pendings()[0]
                    failed.add(pending)
                    outcomes.append(Delivery(pending, error=_failure(error, pending.task)))
                again = (*retries, *waiting)
                waiting = deque(cut for one in again for cut in one.pieces(self.limit.rows, failed))
        if work.packed:
            self.limit.observe(divided=divided, failed=bool(failed))
        return Executed(self.stats.rows - rows, self.stats.passes - passes, host_s, outcomes)

    def _smaller(self, work: Work, error: Exception) -> list[Work]:
        """What to run instead if memory was short, once cached memory is released; otherwise nothing."""
        smaller = work.smaller(self.limit) if is_out_of_memory(error) else []
        if smaller:
            self.stats.oom += 1
            release_cached(self._view.device)
        return smaller


def _failure(error: Exception, task: Task) -> JobError:
    """The error for the client. A model's own message may hold the client's data, so only its type is passed on.

    The log has the stack, without messages. The error itself stays the cause, for an operator who tries the model out.
    """
    if isinstance(error, JobError):
        return error
    if is_out_of_memory(error):
        return OutOfMemory("one row of this model does not fit into the device's memory")
    log.warning("the model raised", **task.names, error=type(error).__name__, exception=without_data(error))
    traceback.clear_frames(error.__traceback__)  # else the batch lives as long as the error
    failed = JobFailed(Sentence("the model raised {error} on this input", error=type(error).__name__))
    failed.__cause__ = error
    return failed
