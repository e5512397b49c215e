"""Runs work on the device and deals with what goes wrong: lack of memory, and jobs that fail beside good ones."""

import traceback
from collections import deque
from collections.abc import Iterator

import structlog
import torch
from torch import Tensor

from schemas.errors import JobError, JobFailed, OutOfMemory
from workers.engine.allocator import return_freed_memory
from workers.engine.block import Block
from workers.engine.error_trace import without_data
from workers.engine.passes import Part, run_pass
from workers.engine.schedule import SharedPass
from workers.engine.single_rows import seeded
from workers.engine.solo import SoloGroup, SoloRequest
from workers.engine.stats import EngineStats
from workers.engine.view import ModelView

log = structlog.get_logger()
Answer = tuple[Tensor, ...]
ONLY_ALONE = 3  # passes in a row that fail as a whole while each of their rows succeeds
FAILS_TOGETHER = "it raises on several rows at once"


class Executor:
    """Belongs to one engine's thread."""

    def __init__(self, view: ModelView, batch_rows: int) -> None:
        self.view = view
        self.batch_rows = batch_rows  # falls by halves when the device runs out of memory
        self.alone: str | None = None  # found out by passes that failed
        self.stats = EngineStats()
        self._failed_together = 0

    def shared(self, work: SharedPass) -> Iterator[tuple[Part, Answer | JobError]]:
        """Each part, perhaps cut further, with its answer or its error.

        Out of memory halves the batch and goes on. A pass that fails otherwise is run again part by part, and a part
        row by row, so that a bad job fails alone. A model that only answers single rows runs so from then on.
        """
        waiting = deque([work.parts])
        narrowed = False
        failed: set[Block] = set()  # their other rows need not be tried
        while waiting:
            parts = [part for part in waiting.popleft() if part.block not in failed]
            if not parts:
                continue
            rows = sum(part.rows for part in parts)
            if rows > self.batch_rows:  # packed before the batch was halved
                waiting.extendleft(reversed(_cut(parts, self.batch_rows)))
                continue
            try:
                with self.stats.timed(rows), seeded(self.view, parts[0].block.task.seed):
                    answers = run_pass(self.view, work.kind, parts)
            except Exception as error:
                if is_out_of_memory(error) and rows > 1:
                    self._shrink(rows)
                    waiting.appendleft(parts)
                elif rows > 1:
                    narrowed = True
                    apart = [[part] for part in parts] if len(parts) > 1 else _cut(parts, 1)
                    waiting.extendleft(reversed(apart))
                else:
                    failed.add(parts[0].block)
                    yield parts[0], self._failure(error, parts[0].block.task.id)
            else:
                yield from zip(parts, answers, strict=True)
        self._note(narrowed=narrowed, failed=bool(failed))

    def solo(self, group: SoloGroup) -> Iterator[tuple[SoloRequest, JobError | None]]:
        """One Captum call for all of a group; one by one when that fails. Each request with its error, if any."""
        waiting = deque([(group, self.batch_rows)])
        while waiting:
            group, batch_rows = waiting.popleft()
            try:
                with self.stats.timed(0):
                    group.run(self.view, batch_rows)
            except Exception as error:
                if len(group.requests) > 1:
                    waiting.extendleft((SoloGroup([request]), batch_rows) for request in reversed(group.requests))
                elif is_out_of_memory(error) and batch_rows > 1:
                    self._release_memory()
                    waiting.appendleft((SoloGroup(group.requests), batch_rows // 2))
                else:
                    yield group.requests[0], self._failure(error, group.requests[0].task.id)
            else:
                yield from ((request, None) for request in group.requests)
            finally:
                self.stats.count(group.rows, group.passes)

    def _note(self, *, narrowed: bool, failed: bool) -> None:
        """Remembers a model that fails on batches of rows which it answers one by one."""
        if failed or not narrowed:
            self._failed_together = 0 if not narrowed else self._failed_together
            return
        self._failed_together += 1
        if self._failed_together == ONLY_ALONE:
            self.alone, self.batch_rows = FAILS_TOGETHER, 1
            log.warning("the model answers single rows only, its passes hold one row from now on")

    def _shrink(self, rows: int) -> None:
        self.batch_rows = rows // 2
        log.warning("out of memory, batch halved", batch_rows=self.batch_rows)
        self._release_memory()

    def _release_memory(self) -> None:
        self.stats.oom += 1
        if self.view.device.type == "cuda":
            torch.cuda.empty_cache()
        else:
            return_freed_memory()

    def _failure(self, error: Exception, job: str) -> JobError:
        """What the job is told. A model's own message may hold its data, so only the kind of error is passed on.

        The log has the stack without it; the error itself stays the cause, for an operator who tries the model out.
        """
        if isinstance(error, JobError):
            return error
        if is_out_of_memory(error):
            return OutOfMemory("one row of this model does not fit into the device's memory")
        log.warning("the model raised", job=job, error=type(error).__name__, exception=without_data(error))
        traceback.clear_frames(error.__traceback__)  # else the batch lives as long as the error
        failed = JobFailed(f"the model raised {type(error).__name__} on this input")
        failed.__cause__ = error
        return failed


def is_out_of_memory(error: BaseException) -> bool:
    """True for CUDA's own error and for the CPU allocator's, which is a plain RuntimeError."""
    if isinstance(error, torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


def _cut(parts: list[Part], rows: int) -> list[list[Part]]:
    """The same rows, in order, in lists of at most `rows`."""
    lists: list[list[Part]] = [[]]
    room = rows
    for part in parts:
        start = part.start
        while start < part.stop:
            stop = min(part.stop, start + room)
            lists[-1].append(Part(part.block, start, stop))
            room -= stop - start
            start = stop
            if room == 0:
                lists.append([])
                room = rows
    return [cut for cut in lists if cut]
