"""Where jobs wait for the engine: the live jobs, how many of them are parked, and what they wait for."""

import math
import threading
from collections.abc import Callable
from functools import partial

from schemas.errors import JobCancelled, JobError
from workers.engine.device.gate import DeviceGate
from workers.engine.schedule import Schedule
from workers.engine.task import Task
from workers.engine.work import Delivery, Lane, P, Pending, Work


class Parking:
    """Shared by the threads of the jobs, which park, and the engine's thread, which takes work and settles it.

    A full batch is ready at once. A part-filled one is ready once every live job is parked: no row can come then. No
    timer is needed. What is ready is taken once the device has a place for it. A device that computes while the host
    goes on is not left idle for the last jobs: see `DeviceGate.enough_rows`.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._awaited: Callable[[], bool] | None = None  # what the engine's thread waits for
        self._schedule = Schedule()
        self._live: set[Task] = set()
        self._parked = 0
        self._held = False
        self._stopped = False

    @property
    def live(self) -> int:
        """Jobs between `enter` and `leave`."""
        return len(self._live)

    def enter(self, task: Task) -> None:
        """Makes the task live: part-filled batches wait for its rows."""
        with self._changed:
            if not task.cancelled.is_set():
                self._live.add(task)

    def leave(self, task: Task) -> None:
        """Ends what `enter` began."""
        with self._changed:
            self._live.discard(task)
            self._tell()

    def hold(self) -> None:
        """Hands out no work until `release`."""
        with self._changed:
            self._held = True

    def release(self) -> None:
        """Ends what `hold` began."""
        with self._changed:
            self._held = False
            self._tell()

    def cancel(self, task: Task) -> None:
        """Settles what the task waits for with `JobCancelled`; its next `park` raises it. It is no longer live."""
        with self._changed:
            self._cancel(task)
            self._tell()

    def stop(self) -> None:
        """Cancels all live tasks and hands out no more work."""
        with self._changed:
            self._stopped = True
            for task in list(self._live):
                self._cancel(task)
            self._changed.notify_all()

    def park(self, pending: P, new_lane: Callable[[], Lane[P]]) -> None:
        """Queues what a job waits for. The job must then call `pending.wait()`.

        Args:
            pending: what it waits for.
            new_lane: makes the lane of its key where there is none yet.

        Raises:
            JobCancelled: the job was cancelled, or the engine has stopped.
        """
        with self._changed:
            if self._stopped or pending.task.cancelled.is_set():
                raise JobCancelled("the job was cancelled")
            self._schedule.add(pending, new_lane)
            self._parked += 1
            self._tell()

    def wait(self, enough_rows: int) -> bool:
        """Waits until so many rows wait, or fewer, and no more can come. False once stopped."""
        with self._changed:
            while not self._stopped and not self._is_ready(enough_rows):
                self._await(lambda: self._is_ready(enough_rows))
            return not self._stopped

    def take(self, batch_rows: int, gate: DeviceGate) -> Work | None:
        """Takes the next work out, once the device has a place for it. The caller has the turn on the device.

        Returns:
            None once stopped, or where nothing is ready any more: jobs came or went while the caller waited for its
            turn or for the device.
        """
        with self._changed:
            enough_rows = gate.enough_rows(batch_rows)
            while not self._stopped and self._is_ready(enough_rows):
                full = self._schedule.fullest_rows >= batch_rows
                wait_s = gate.wait_s(full=full)
                if wait_s == 0:
                    return self._schedule.next(batch_rows, 1 if self._quiet else enough_rows)
                self._await(partial(self._fills, math.inf if full else batch_rows), wait_s)
        return None

    def look(self) -> None:
        """Lets `take` look at the device again."""
        with self._changed:
            self._changed.notify()

    def _await(self, met: Callable[[], bool], timeout_s: float | None = None) -> None:
        """Lets the engine's thread sleep until `met` holds, or for a time; it may wake up earlier.

        Whoever changes something evaluates `met`. To wake a thread for nothing takes longer than that.
        """
        self._awaited = met
        self._changed.wait(timeout_s)
        self._awaited = None

    def _tell(self) -> None:
        """Wakes the engine's thread if what it waits for has come."""
        if self._awaited is not None and self._awaited():
            self._changed.notify()

    @property
    def _quiet(self) -> bool:
        """No row can come before a pass is done: every live job waits."""
        return self._parked >= len(self._live)

    def _is_ready(self, enough_rows: int) -> bool:
        rows = 0 if self._held else self._schedule.fullest_rows
        return rows >= enough_rows or (rows > 0 and self._quiet)

    def _fills(self, rows: float) -> bool:
        return self._schedule.fullest_rows >= rows

    def settle(self, outcomes: list[Delivery]) -> None:
        """Delivers outcomes, and wakes the jobs that have all they wait for or an error.

        All at once: jobs that come back from one pass may share the next.
        """
        with self._changed:
            for outcome in outcomes:
                pending = outcome.pending
                if pending.settled.is_set():
                    continue  # cancelled, or failed by an earlier outcome
                error = outcome.deliver()
                if error is not None or not pending.left:
                    self._schedule.discard(pending)
                    self._wake(pending, error)

    def _cancel(self, task: Task) -> None:
        task.cancelled.set()
        self._live.discard(task)  # whatever its thread still does, it brings no rows: nobody waits for them
        for pending in self._schedule.remove_task(task):
            self._wake(pending, JobCancelled("the job was cancelled"))

    def _wake(self, pending: Pending, error: JobError | None) -> None:
        pending.error = error
        self._parked -= 1
        pending.settled.set()
