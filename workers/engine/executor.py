"""Runs work on the device and deals with what goes wrong: lack of memory, and jobs that fail beside good ones."""

from collections.abc import Iterator

import structlog
import torch
from torch import Tensor

from schemas.errors import JobError, JobFailed, OutOfMemory
from workers.engine.passes import Part, run_pass
from workers.engine.schedule import SharedPass
from workers.engine.solo import SoloGroup, SoloRequest
from workers.engine.stats import EngineStats
from workers.engine.view import ModelView

log = structlog.get_logger()
Answer = tuple[Tensor, ...]


class Executor:
    """Belongs to one engine's thread."""

    def __init__(self, view: ModelView, batch_rows: int) -> None:
        self.view = view
        self.batch_rows = batch_rows  # falls by halves when the device runs out of memory
        self.stats = EngineStats()

    def shared(self, work: SharedPass) -> Iterator[tuple[Part, Answer | JobError]]:
        """Each part with its answer or its error.

        Out of memory halves the batch and goes on. A pass that fails otherwise is run again part by part, so that a bad
        job fails alone.
        """
        rows = sum(part.rows for part in work.parts)
        try:
            with self.stats.timed(rows):
                answers = run_pass(self.view, work.kind, work.parts)
        except Exception as error:
            if is_out_of_memory(error):
                self._shrink(rows)
                if rows == 1:
                    yield work.parts[0], OutOfMemory("one row of this model does not fit into the device's memory")
                    return
                smaller = _halves(work.parts)
            elif len(work.parts) > 1:
                smaller = [[part] for part in work.parts]
            else:
                yield work.parts[0], self._failure(error, work.parts[0].block.task.id)
                return
        else:
            yield from zip(work.parts, answers, strict=True)
            return
        for parts in smaller:
            yield from self.shared(SharedPass(work.kind, parts))

    def solo(self, group: SoloGroup) -> Iterator[tuple[SoloRequest, JobError | None]]:
        """One Captum call for all of a group; one by one when that fails. Each request with its error, if any."""
        try:
            with self.stats.timed(0):
                group.run(self.view, self.batch_rows)
        except Exception as error:
            memory = is_out_of_memory(error)
            if memory:
                self._shrink(self.batch_rows)
            first = group.requests[0]
            if len(group.requests) == 1 and not (memory and self.batch_rows > 1):
                failure = OutOfMemory("one row of this method does not fit into the device's memory")
                yield first, failure if memory else self._failure(error, first.task.id)
                return
        else:
            yield from ((request, None) for request in group.requests)
            return
        finally:
            self.stats.count(group.rows, group.passes)
        for request in group.requests:
            yield from self.solo(SoloGroup([request]))

    def _shrink(self, rows: int) -> None:
        self.stats.oom += 1
        self.batch_rows = max(1, min(self.batch_rows, rows) // 2)
        log.warning("out of memory, batch halved", batch_rows=self.batch_rows)
        if self.view.device.type == "cuda":
            torch.cuda.empty_cache()

    def _failure(self, error: Exception, job: str) -> JobError:
        """What the job is told. A model's own message may hold its data, so only the kind of error is passed on."""
        if isinstance(error, JobError):
            return error
        log.warning("the model raised", job=job, error=type(error).__name__)
        return JobFailed(f"the model raised {type(error).__name__} on this input")


def is_out_of_memory(error: BaseException) -> bool:
    """True for CUDA's own error and for the CPU allocator's, which is a plain RuntimeError."""
    if isinstance(error, torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


def _halves(parts: list[Part]) -> list[list[Part]]:
    """The same rows in two lists of about equal size."""
    if len(parts) > 1:
        return [parts[: len(parts) // 2], parts[len(parts) // 2 :]]
    return [[half] for half in parts[0].halves()]
