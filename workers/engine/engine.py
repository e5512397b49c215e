"""The thread that owns one model on one device.

Jobs run in threads of their own and park here: with a block of rows (the shared lane, packed with the rows of every
other job), or with a request for the model alone (the solo lane, for methods that hang hooks on it). The engine runs
what is full at once; what is not full waits until every live job is parked, for then nothing more can come. No timer.
"""

import threading
from contextlib import nullcontext
from functools import partial
from time import perf_counter

from torch import Tensor

from schemas.errors import JobCancelled, JobError
from workers.engine.block import Block, PassKind
from workers.engine.executor import Answer, Executor
from workers.engine.gate import DeviceGate
from workers.engine.output_cache import OutputCache
from workers.engine.schedule import Schedule, Work
from workers.engine.solo import SoloGroup, SoloRequest
from workers.engine.stats import EngineStats
from workers.engine.task import Task
from workers.engine.threads import use_threads
from workers.engine.view import ModelView


class Engine:
    """One model's passes. Every public method may be called from any thread.

    Args:
        view: the model.
        batch_rows: rows of a full pass; falls by halves when the device runs out of memory.
        gate: the device's turns, where several engines share it.
        threads: CPU threads of a pass; None leaves torch's own number.
    """

    def __init__(
        self,
        view: ModelView,
        *,
        batch_rows: int,
        gate: DeviceGate | None = None,
        name: str = "engine",
        threads: int | None = None,
    ) -> None:
        self.view = view
        self.output_cache = OutputCache(0) if view.random else OutputCache()  # what chance gave belongs to one seed
        self._executor = Executor(view, 1 if view.alone else batch_rows)
        self._gate = gate or DeviceGate()
        self._threads = threads
        self._changed = threading.Condition()
        self._schedule = Schedule()
        self._live: set[Task] = set()
        self._parked = 0
        self._held = False
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def gate(self) -> DeviceGate:
        """Held while a pass runs: whoever holds it finds the model as it is between passes, without hooks."""
        return self._gate

    def beside(self, view: ModelView, name: str) -> "Engine":
        """An engine for another model that takes its turns on the same device, with the same measures."""
        return Engine(view, batch_rows=self.batch_rows, gate=self._gate, name=name, threads=self._threads)

    @property
    def stats(self) -> EngineStats:
        return self._executor.stats

    @property
    def batch_rows(self) -> int:
        return self._executor.batch_rows

    @property
    def alone(self) -> str | None:
        """Why each row has a pass of its own; None where rows share passes."""
        return self.view.alone or self._executor.alone

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def live(self) -> int:
        """Jobs between `enter` and `leave`."""
        return len(self._live)

    @property
    def parked(self) -> int:
        """Jobs that wait for an answer."""
        return self._parked

    def start(self) -> "Engine":
        self._thread.start()
        return self

    def stop(self) -> None:
        """Ends the thread after its present pass; parked jobs are cancelled."""
        with self._changed:
            self._stopping = True
            for task in self._live:
                self._drop(task)
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join()

    def hold(self) -> None:
        """Runs nothing until `release`, so that a set of jobs can be gathered first."""
        with self._changed:
            self._held = True

    def release(self) -> None:
        with self._changed:
            self._held = False
            self._changed.notify_all()

    def enter(self, task: Task) -> None:
        """From here to `leave` the task is live: its next rows are waited for before a part-filled pass is run."""
        with self._changed:
            self._live.add(task)

    def leave(self, task: Task) -> None:
        with self._changed:
            self._live.discard(task)
            self._changed.notify_all()

    def cancel(self, task: Task) -> None:
        """Takes the task's waiting rows out, and raises `JobCancelled` where it is parked or will next park."""
        with self._changed:
            self._drop(task)
            self._changed.notify_all()

    def compute(
        self,
        task: Task,
        kind: PassKind,
        inputs: tuple[Tensor, ...],
        additional_forward_args: tuple[Tensor, ...],
        targets: Tensor | None,
        *,
        whole: bool = False,
    ) -> Answer:
        """Parks the calling job until all of its rows have been through the model.

        Args:
            inputs, extras: (rows, …), inputs first as `ModelView.module` takes them.
            targets: (rows,) int64 output indices, or (rows, dimensions) places; None for a scalar output or a forward.
            whole: gradients come with all outputs, not only the target ones.

        Returns:
            As `Block` says.

        Raises:
            JobCancelled: the job was cancelled or the engine stopped.
            OutOfMemory: not even one row fits.
            JobFailed: the model raised.
        """
        block = Block(task, kind, tuple(t.detach() for t in inputs), additional_forward_args, targets, whole)
        key = (kind, targets is None, tuple(self.view.signature(t) for t in inputs + additional_forward_args))
        with self._changed:
            self._park(task)
            self._schedule.add_block(block, key)
        _wait(block.done, task)
        return block.result()

    def solo(self, request: SoloRequest) -> Answer:
        """Parks the calling job until its Captum call has run with the model to itself, together with its likes.

        Raises:
            As `compute`.
        """
        with self._changed:
            self._park(request.task)
            self._schedule.add_solo(request)
        _wait(request.done, request.task)
        return request.result()

    def _park(self, task: Task) -> None:
        if self._stopping or task.cancelled.is_set():
            raise JobCancelled("the job was cancelled")
        self._parked += 1
        self._changed.notify_all()

    def _unpark(self, waiting: Block | SoloRequest, error: JobError | None) -> None:
        waiting.error = error
        self._parked -= 1
        waiting.done.set()

    def _drop(self, task: Task) -> None:
        task.cancelled.set()
        for waiting in self._schedule.remove_task(task):
            self._unpark(waiting, JobCancelled("the job was cancelled"))

    def _run(self) -> None:
        if self._threads is not None:
            use_threads(1)  # of its own; for passes the gate has as many as they may take
        while (work := self._next()) is not None:
            self._gate.run(partial(self._execute, work), self._threads)

    def _next(self) -> Work | None:
        """Waits for the next work; None when the engine stops."""
        with self._changed:
            while not self._stopping:
                if not self._held:
                    quiet = self._parked >= len(self._live)
                    work = self._schedule.next(self._executor.batch_rows, quiet=quiet)
                    if work is not None:
                        return work
                self._changed.wait()
        return None

    def _execute(self, work: Work) -> None:
        before_s = self.stats.seconds
        if isinstance(work, SoloGroup):
            for request, error in self._executor.solo(work):
                request.task.pass_s += self.stats.seconds - before_s
                request.task.pass_rows += work.rows
                with self._changed:
                    self._unpark(request, error)
            return
        outcomes = list(self._executor.shared(work))
        rows = sum(part.rows for part in work.parts)
        for part in work.parts:
            part.block.task.pass_s += self.stats.seconds - before_s
            part.block.task.pass_rows += rows
        with self._changed:  # all at once: the next pass is packed when every job of this one has come back
            for part, outcome in outcomes:
                block = part.block
                if not self._schedule.holds(block):
                    continue  # cancelled, or failed by an earlier part
                error = outcome if isinstance(outcome, JobError) else block.accept(part.start, outcome)
                if error is not None or block.left == 0:
                    self._schedule.remove_block(block)
                    self._unpark(block, error)


def _wait(done: threading.Event, task: Task) -> None:
    started = perf_counter()
    with nullcontext() if task.random is None else task.random.paused():
        done.wait()
    task.parked_s += perf_counter() - started
