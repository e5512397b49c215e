"""The thread that owns one model on one device.

Jobs run in threads of their own and park here: with a block of rows for the shared lane, where rows of all jobs are
packed into passes, or with a request for the solo lane, where a method hooks the model and runs alone.
"""

import threading
from collections.abc import Callable
from functools import partial

from torch import Tensor

from schemas.telemetry.spans import Tracer
from workers.engine.device.gate import DeviceGate
from workers.engine.device.pass_device import PendingPass
from workers.engine.device.threads import use_threads
from workers.engine.executor import Executed, Executor
from workers.engine.output_cache import OutputCache
from workers.engine.parking import Parking
from workers.engine.shared.block import AppliedRule, Block, PassKind
from workers.engine.shared.shared_pass import SharedLane
from workers.engine.solo.solo_group import SoloLane, SoloRequest
from workers.engine.stats import EngineStats
from workers.engine.task import Task
from workers.engine.tuning import OUTPUT_CACHE_BYTES
from workers.engine.view import ModelView
from workers.engine.work import Lane, P, Tensors, Work


class Engine:
    """One model's passes. Every public method may be called from any thread.

    Args:
        view: the model.
        batch_rows: rows of a full pass with gradients; falls by halves when the device runs out of memory.
        forward_rows: a full pass without gradients has so many times as many rows.
        gate: turns on the device, where several engines share it.
        name: of the thread.
        threads: CPU threads of a pass; None leaves torch's own number.
        tracer: of spans of passes; None records none.
    """

    def __init__(
        self,
        view: ModelView,
        *,
        batch_rows: int,
        forward_rows: int = 1,
        gate: DeviceGate | None = None,
        name: str = "engine",
        threads: int | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        self.view = view
        self.gate = gate or DeviceGate()  # held while a pass runs; between passes the model has no hooks
        cache_bytes = 0 if view.draws_random else OUTPUT_CACHE_BYTES  # random outputs belong to one seed
        self.output_cache = OutputCache(cache_bytes)
        self._executor = Executor(view, 1 if view.alone_reason else batch_rows, tracer)
        self._forward_rows = forward_rows
        self._parking = Parking()
        self._tracer = tracer
        self._threads = threads
        self._latest_done: threading.Event | None = None  # set once the device has ended the latest pass
        self._thread = threading.Thread(target=self._loop, name=name, daemon=True)

    def _loop(self) -> None:
        if self._threads is not None:
            use_threads(1)  # of its own; the gate has the threads of passes
        while self._parking.wait(self.gate.enough_rows(self.batch_rows)):
            self._step()

    def _step(self) -> None:
        """Packs a pass once the device has a place for it, and submits it."""
        with self.gate.turn(self._parking.look):
            work = self._parking.take(self.batch_rows, self.gate)
            if work is None:
                return
            began_s = work.begin()
            pending = self.gate.submit(partial(self._executor.run, work), self._threads)
        self._latest_done = pending.done
        pending.then(partial(self._finish, work, began_s))

    def _finish(self, work: Work, began_s: float, done: PendingPass[Executed]) -> None:
        """Hands outcomes to the jobs and wakes those that have all they wait for. Called once the device is done."""
        self._executor.stats.seconds += done.seconds
        work.charge(done.seconds)
        work.end(began_s)
        self._parking.settle(done.launched.outcomes)

    def compute(
        self,
        task: Task,
        kind: PassKind,
        inputs: Tensors,
        additional_forward_args: Tensors,
        targets: Tensor | None,
        *,
        all_outputs: bool = False,
        rule: AppliedRule | None = None,
        baselines: Tensors | None = None,
    ) -> Tensors:
        """Parks the calling job until all of its rows have been through the model.

        Args:
            kind: forward passes, or forward and backward.
            inputs: (rows, …) each, as `ModelView.module` takes them.
            additional_forward_args: (rows, …) each.
            targets: (rows,) int64 output indices, or (rows, dimensions) positions; None for a scalar output or a
                forward.
            all_outputs: gradients come with all outputs, not only the target ones.
            rule: by which gradients are computed; the view must have its module.
            baselines: (rows, …) each, for a rule that compares rows with them.

        Returns:
            See `Block`.

        Raises:
            JobCancelled: the job was cancelled or the engine stopped.
            OutOfMemory: not even one row fits.
            JobFailed: the model raised.
        """
        tensors = (*inputs, *additional_forward_args)
        key = (kind, rule, targets is None, tuple(map(self.view.signature, tensors)))
        detached = tuple(tensor.detach() if tensor.requires_grad else tensor for tensor in inputs)
        rows_a_place = self._forward_rows if kind == "forward" else 1
        options = (targets, all_outputs, rule, baselines, rows_a_place)
        block = Block(task, kind, detached, additional_forward_args, *options, lane_key=key)
        return self._wait(block, SharedLane)

    def solo(self, request: SoloRequest) -> Tensors:
        """Parks the calling job until its Captum call has run, by itself or joined with equal ones.

        Returns:
            The attributions, (examples, …) each.

        Raises:
            JobCancelled, OutOfMemory, JobFailed: as `compute`.
        """
        return self._wait(request, SoloLane)

    def _wait(self, pending: P, new_lane: Callable[[], Lane[P]]) -> Tensors:
        self._parking.park(pending, new_lane)
        return pending.wait()

    def enter(self, task: Task) -> None:
        """Makes the task live until `leave`: part-filled passes wait for its rows."""
        self._parking.enter(task)

    def leave(self, task: Task) -> None:
        """Ends what `enter` began."""
        self._parking.leave(task)

    def cancel(self, task: Task) -> None:
        """Drops the task's waiting rows, and raises `JobCancelled` where it is parked or parks next."""
        self._parking.cancel(task)

    def hold(self) -> None:
        """Runs nothing until `release`, so that a set of jobs can gather first."""
        self._parking.hold()

    def release(self) -> None:
        """Ends what `hold` began."""
        self._parking.release()

    def start(self) -> "Engine":
        """Starts the thread."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Ends the thread after its passes that are on the device; live jobs are cancelled."""
        self._parking.stop()
        if self._thread.ident is not None:
            self._thread.join()
        if self._latest_done is not None:
            self._latest_done.wait()

    def sibling(self, view: ModelView, name: str) -> "Engine":
        """An engine for another model, with this one's batch size, threads and tracer, that shares its device."""
        return Engine(
            view,
            batch_rows=self.batch_rows,
            forward_rows=self._forward_rows,
            gate=self.gate,
            name=name,
            threads=self._threads,
            tracer=self._tracer,
        )

    @property
    def alive(self) -> bool:
        """True while the thread runs, and the device can complete its passes."""
        return self._thread.is_alive() and self.gate.alive

    @property
    def live(self) -> int:
        """Jobs between `enter` and `leave`."""
        return self._parking.live

    @property
    def stats(self) -> EngineStats:
        """Counters since the start."""
        return self._executor.stats

    @property
    def batch_rows(self) -> int:
        """Rows of a full pass with gradients."""
        return self._executor.limit.rows

    @property
    def alone_reason(self) -> str | None:
        """Why each row has a pass of its own; None where rows share passes."""
        return self.view.alone_reason or self._executor.limit.alone_reason
