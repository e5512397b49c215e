"""Reports to the job store at intervals: heartbeats, leases and progress."""

import os
import socket
import threading
import time

import structlog

from broker import JobProgress, WorkerInfo, WorkerQueue
from schemas.errors import Unavailable
from workers.engine.device.allocator import IdleMemory
from workers.jobs.describe import target_classes
from workers.jobs.running import JobRunner
from workers.jobs.sharing import Sharing
from workers.jobs.statistics import worker_statistics
from workers.jobs.tuning import SHARE_S
from workers.models.pool import CommandExecutor, ModelPool
from workers.models.resident import Device

log = structlog.get_logger()
TICK_S = 0.1  # between two reports of progress: as often as a person notices
HEARTBEAT_S = 2.0  # a fifth of the time for which the registry keeps a worker; with short leases, as often as renewals
RENEWALS_PER_LEASE = 4  # so that three renewals in a row may fail


class Reporter(threading.Thread):
    """A thread that renews the leases of running jobs, reports their progress, and announces the worker with its model
    cards and counters, and adds what jobs measured to the store's counters. A change of a model, or a finished admin
    command, is announced within `TICK_S`."""

    def __init__(
        self,
        queue: WorkerQueue,
        runner: JobRunner,
        models: ModelPool,
        commands: CommandExecutor,
        *,
        device: Device,
        worker_id: str,
        group: str,
        lease_ms: int,
    ) -> None:
        super().__init__(name="reporter", daemon=True)
        self._queue = queue
        self._runner = runner
        self._models = models
        self._commands = commands
        self._device = device
        self._worker_id = worker_id
        self._group = group
        self._renew_s = lease_ms / 1e3 / RENEWALS_PER_LEASE
        self._started_ms = int(time.time() * 1e3)
        self._announced: object = None  # the state of the latest announcement
        self._ended = threading.Event()
        self._memory = IdleMemory()
        self._sharing = Sharing(queue, runner, models)

    def run(self) -> None:
        heartbeat_s = min(HEARTBEAT_S, self._renew_s)  # who has sent none for half a lease counts as dead
        interval_s = {
            self._announce: heartbeat_s,
            self._tell_measurements: HEARTBEAT_S,
            self._tell_pace: HEARTBEAT_S,
            self._renew: self._renew_s,
            self._share: SHARE_S,
            self._report_progress: TICK_S,
        }
        due_at = dict.fromkeys(interval_s, 0.0)
        while not self._ended.wait(TICK_S):
            now = time.monotonic()
            if self._state() != self._announced:
                due_at[self._announce] = now
            for action in [action for action, at in due_at.items() if now >= at]:
                due_at[action] = now + interval_s[action]
                try:
                    action()
                except Unavailable:
                    log.warning("job store is away", action=action.__name__.strip("_"))

    def end(self) -> None:
        """Stops the thread, waits for it, and tells what was measured last."""
        self._ended.set()
        self.join()
        try:
            self._tell_measurements()
            self._tell_pace()
        except Unavailable:
            log.warning("job store is away", action="tell measurements")

    def _state(self) -> tuple[str, object]:
        """What is announced as soon as it changes. The command is read first, so that its effects are announced too."""
        return self._commands.executed, self._models.state()

    def _announce(self) -> None:
        state = self._state()
        info = WorkerInfo(
            id=self._worker_id,
            device=str(self._device.device),
            host=socket.gethostname(),
            pid=os.getpid(),
            started_ms=self._started_ms,
            models=self._models.serving(),
            group=self._group,
            statistics=worker_statistics(self._models, self._runner.settling.statistics, self._device),
            residence=self._models.residence(self._worker_id),
            executed_command=state[0],
        )
        self._queue.registration.announce(info, self._models.cards())
        self._announced = state

    def _tell_measurements(self) -> None:
        measurements = self._runner.settling.measurements
        taken = measurements.take()
        while taken:
            model, increments = taken.popitem()
            try:
                self._queue.measurements.add(model, increments.counts, increments.exemplars)
            except Unavailable:
                for each, untold in [(model, increments), *taken.items()]:
                    measurements.put_back(each, untold)
                raise

    def _tell_pace(self) -> None:
        passes_s = {model: resident.engine.stats.seconds for model, resident in self._models.resident().items()}
        taken = self._runner.pace.take(self._runner.admission.active(), passes_s)
        while taken:
            model, part = taken.popitem()
            try:
                self._queue.measurements.tell_pace(model, self._group, *part)
            except Unavailable:
                self._runner.pace.put_back({model: part, **taken})
                raise

    def _renew(self) -> None:
        active = self._runner.admission.active()
        self._memory.observe(busy=bool(active), now_s=time.monotonic())
        if active:
            for job_id in self._queue.claimed_jobs.renew([job.claim for job in active]):
                self._runner.cancel(job_id)

    def _share(self) -> None:
        self._sharing.share()

    def _report_progress(self) -> None:
        reports = []
        for job in self._runner.admission.active():
            model, task = job.model, job.task
            progress = (task.rows, max(task.rows, task.total_rows))
            if model is None or progress == job.reported or not task.rows:
                continue
            job.reported = progress
            target = target_classes(model.card, task.targets, job.claim.spec.examples)
            reports.append(JobProgress(job.claim, *progress, target))
        for report, is_ours in zip(reports, self._queue.claimed_jobs.progress_all(reports), strict=True):
            if not is_ours:
                self._runner.cancel(report.claim.job_id)
