"""What a worker tells the job store beside results: that it lives, that its jobs do, and how far they are."""

import os
import socket
import threading
import time

import structlog

from broker import WorkerInfo, WorkerQueue
from schemas.errors import Unavailable
from workers.engine.allocator import IdleMemory
from workers.engine.engine import Engine
from workers.jobs.describe import target_classes
from workers.jobs.running import JobRunner
from workers.models.pool import ModelPool, OrderFollower

log = structlog.get_logger()
TICK_S = 0.1  # progress is told so often
HEARTBEAT_S = 2.0


class Reporter(threading.Thread):
    """A thread that renews leases, tells progress, and announces the worker with its cards and counters."""

    def __init__(
        self,
        queue: WorkerQueue,
        runner: JobRunner,
        models: ModelPool,
        orders: OrderFollower,
        *,
        device: str,
        worker_id: str,
        lease_ms: int,
    ) -> None:
        super().__init__(name="reporter", daemon=True)
        self._queue = queue
        self._runner = runner
        self._models = models
        self._orders = orders
        self._told: object = None  # the state of the models, as announced
        self._device = device
        self._worker_id = worker_id
        self._renew_s = lease_ms / 1e3 / 4
        self._started_ms = int(time.time() * 1e3)
        self._ended = threading.Event()
        self._memory = IdleMemory()

    def run(self) -> None:
        due = {self._announce: 0.0, self._renew: 0.0, self._progress: 0.0}
        every = {self._announce: HEARTBEAT_S, self._renew: self._renew_s, self._progress: TICK_S}
        while not self._ended.wait(TICK_S):
            now = time.monotonic()
            if self._news() != self._told:
                due[self._announce] = now
            for action, at in due.items():
                if now >= at:
                    due[action] = now + every[action]
                    try:
                        action()
                    except Unavailable:
                        log.warning("job store is away", action=action.__name__.strip("_"))

    def end(self) -> None:
        self._ended.set()
        self.join()

    def announce(self) -> None:
        """Makes the worker and its models known at once.

        Raises:
            StoreUnavailable: the store is away.
        """
        self._announce()

    def _announce(self) -> None:
        told = self._news()
        info = WorkerInfo(
            id=self._worker_id,
            device=self._device,
            host=socket.gethostname(),
            pid=os.getpid(),
            started_ms=self._started_ms,
            models=self._models.serving(),
            stats=self._stats(),
            residence=self._models.residence(self._worker_id),
            order=told[0],
        )
        self._queue.announce(info, self._models.cards())
        self._told = told

    def _news(self) -> tuple[str, object]:
        """What others should hear of at once. The order is read first: what has come of it is announced with it."""
        return self._orders.carried_out, self._models.state()

    def _renew(self) -> None:
        active = self._runner.active()
        self._memory.observe(busy=bool(active), now_s=time.monotonic())
        if active:
            for job_id in self._queue.renew([job.claim for job in active]):
                self._runner.cancel(job_id)

    def _progress(self) -> None:
        for job in self._runner.active():
            now = (job.task.rows, max(job.task.rows, job.task.total_rows))
            model = job.model
            if model is not None and now != job.reported and now[0]:
                job.reported = now
                target = target_classes(model.card, job.task.targets, job.claim.spec.examples)
                if not self._queue.progress(job.claim, *now, target):
                    self._runner.cancel(job.claim.job_id)

    def _stats(self) -> dict[str, float]:
        stats: dict[str, float] = dict(self._runner.settling.stages.copy())
        for key in self._models.serving():
            stats[f"{key}|jobs_total"] = self._runner.settling.jobs[key]
            stats[f"{key}|failed_total"] = self._runner.settling.failed[key]
        for key, counters in self._models.counters().items():
            stats |= {f"{key}|{name}": value for name, value in counters.items()}
        for key, model in self._models.resident().items():
            for name, value in _counters(model.engine).items():
                stats[f"{key}|{name}"] = value
        return stats


def _counters(engine: Engine) -> dict[str, float]:
    stats = engine.stats
    return {
        "executed_rows_total": stats.rows,
        "passes_total": stats.passes,
        "pass_seconds_total": stats.seconds,
        "oom_total": stats.oom,
        "live_jobs": engine.live,
        "batch_rows": engine.batch_rows,
    }
