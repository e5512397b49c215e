"""Finds jobs that make no progress, reports them, and ends the process where one cannot be stopped."""

import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import structlog

from broker.worker.claimed_jobs import ClaimedJobs
from schemas.errors import JobStalled, Unavailable
from schemas.jobs import JobFailure
from schemas.sentences import Sentence
from workers.engine.tuning import MAX_LOGGED_FRAMES
from workers.jobs.job import ClaimedJob
from workers.jobs.running import JobRunner
from workers.jobs.tuning import BUSY_SHARE, BUSY_STALLS, MAX_WATCH_TICK_S, STALL_GRACE_S, WATCH_TICKS

log = structlog.get_logger()


@dataclass(slots=True)
class _Progress:
    """Of one job: what it had done when it last did anything, and when that was, by the monotonic clock."""

    done: tuple[object, ...]
    at_s: float
    cpu_s: float | None


@dataclass(frozen=True, slots=True)
class _Stalled:
    """A job that was given up. `pass_began_s` tells the pass that it hung in, if it did."""

    job: ClaimedJob
    pass_began_s: float | None
    until_s: float


class Watchdog(threading.Thread):
    """A thread that looks at every running job.

    A job makes progress while rows of it are computed. It has a reason to wait while other jobs hold what it needs. A
    job that does neither for `stall_s` is given up: its thread sleeps, or hangs in a pass. Where its thread computes
    outside passes, it has `BUSY_STALLS` times as long.

    Args:
        claimed_jobs: where jobs are given up.
        stall_s: seconds without progress.
        end_process: called when a job that was given up does not end within `STALL_GRACE_S`, or within `stall_s`.
    """

    def __init__(
        self,
        runner: JobRunner,
        claimed_jobs: ClaimedJobs,
        stall_s: float,
        end_process: Callable[[], object],
    ) -> None:
        super().__init__(name="watchdog", daemon=True)
        self._runner = runner
        self._claimed_jobs = claimed_jobs
        self._stall_s = stall_s
        self._end_process = end_process
        self._grace_s = min(STALL_GRACE_S, stall_s)
        self._progress: dict[ClaimedJob, _Progress] = {}
        self._stalled: dict[ClaimedJob, _Stalled] = {}
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(min(MAX_WATCH_TICK_S, self._stall_s / WATCH_TICKS)):
            self.look(monotonic())

    def end(self) -> None:
        """Stops the thread and waits for it."""
        self._ended.set()
        self.join()

    def look(self, now_s: float) -> None:
        """Looks once at every job; `now_s` is the monotonic clock."""
        running = [job for job in self._runner.active() if job.thread is not None]
        for job in running:
            if job not in self._stalled and self._has_stalled(job, now_s):
                self._give_up(job, now_s)
        for job in self._progress.keys() - set(running):
            del self._progress[job]
        for stalled in list(self._stalled.values()):
            self._await_end(stalled, now_s)

    def _has_stalled(self, job: ClaimedJob, now_s: float) -> bool:
        task, thread = job.running_task, job.thread
        done = (task, task.rows, task.passes, task.pass_began_s)
        waits = task.is_waiting and task.pass_began_s is None
        cpu_s = None if thread is None else cpu_seconds(thread.native_id)
        before = self._progress.get(job)
        if before is None or waits or before.done != done:
            self._progress[job] = _Progress(done, now_s, cpu_s)
            return False
        idle_s = now_s - before.at_s
        used_s = 0.0 if cpu_s is None or before.cpu_s is None else cpu_s - before.cpu_s
        is_busy = task.pass_began_s is None and used_s > BUSY_SHARE * idle_s
        return idle_s > self._stall_s * (BUSY_STALLS if is_busy else 1)

    def _give_up(self, job: ClaimedJob, now_s: float) -> None:
        task = job.running_task
        failure = JobFailure.of(
            JobStalled(
                Sentence("it made no progress for {seconds:g} s, or ended its worker, each time", seconds=self._stall_s)
            )
        )
        stacks = {"stack": stack_of(None if job.thread is None else job.thread.ident)}
        if task.pass_began_s is not None:
            stacks["pass_stack"] = stack_of(task.pass_thread)
        log.error(
            "job stalled",
            **job.task.names,
            model=str(job.model_key),
            method=job.spec.method.get("name"),
            attempt=job.claim.attempt,
            rows=task.rows,
            stall_s=self._stall_s,
            **stacks,
        )
        try:
            self._claimed_jobs.give_up(job.claim, failure)
        except Unavailable:
            log.warning("job store is away", action="give up a job")
            return
        if job.trace is not None:
            job.trace.end("stalled", error=failure.code, rows=task.rows, passes=task.passes)
        self._stalled[job] = _Stalled(job, task.pass_began_s, now_s + self._grace_s)
        self._runner.settling.statistics.count_failed(job.model_key)
        self._runner.cancel(job.id)

    def _await_end(self, stalled: _Stalled, now_s: float) -> None:
        """Forgets a job that has ended; ends the process for one that has not."""
        began_s = stalled.pass_began_s
        hangs_in_pass = began_s is not None and stalled.job.running_task.pass_began_s == began_s
        if not hangs_in_pass and stalled.job not in self._runner.active():
            del self._stalled[stalled.job]
        elif now_s > stalled.until_s:
            log.critical("job does not end", **stalled.job.task.names, in_pass=hangs_in_pass)
            self._end_process()


def cpu_seconds(native_id: int | None) -> float | None:
    """CPU time of a thread of this process; None where the system does not tell."""
    try:
        return int(Path(f"/proc/self/task/{native_id}/schedstat").read_text().split()[0]) / 1e9
    except (OSError, ValueError, IndexError):
        return None


def stack_of(ident: int | None) -> str:
    """Where a thread is now: files, lines and code, no values."""
    frame = None if ident is None else sys._current_frames().get(ident)
    if frame is None:
        return ""
    return "".join(traceback.format_list(traceback.extract_stack(frame)[-MAX_LOGGED_FRAMES:]))
