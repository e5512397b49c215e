"""Hands jobs back that a worker without any could run.

A worker claims as many jobs as its engine has room for, and its passes hold rows of all of them. A worker that starts
later, or is done sooner, would find none left while the first computes for minutes: adding workers would not help those
who wait. So a worker looks now and then for idle ones, and gives them their share of what it has. A job that is handed
back begins anew elsewhere, at the same attempt; those that have come least far lose least.
"""

from collections import defaultdict
from collections.abc import Sequence

import structlog

from broker import WorkerQueue
from schemas.model_key import ModelKey
from workers.engine.stats import EngineStats
from workers.jobs.job import ClaimedJob
from workers.jobs.running import JobRunner
from workers.jobs.tuning import LEAST_SHARED_S, MOST_DONE_SHARE
from workers.models.pool import ModelPool

log = structlog.get_logger()


class Sharing:
    """Of one worker. `share` is for one thread."""

    def __init__(self, queue: WorkerQueue, runner: JobRunner, models: ModelPool) -> None:
        self._queue = queue
        self._runner = runner
        self._models = models

    def share(self) -> None:
        """Hands jobs of each model back for the idle workers that there are.

        Raises:
            StoreUnavailable: Redis is away; what was not handed back runs on.
        """
        held = self._worth_sharing()
        for model, idle in self._queue.idle_workers.count([*held]).items():
            jobs = share_of(held[model], idle)
            if jobs:
                handed = self._runner.hand_back(model, jobs)
                log.info("jobs handed back", model=str(model), jobs=handed, held=len(held[model]), idle=idle)

    def _worth_sharing(self) -> dict[ModelKey, list[ClaimedJob]]:
        """The jobs of each model that has more than one, and at least `LEAST_SHARED_S` of work left."""
        held: defaultdict[ModelKey, list[ClaimedJob]] = defaultdict(list)
        for job in self._runner.active():
            held[job.model_key].append(job)
        resident = self._models.resident()
        return {
            model: jobs
            for model, jobs in held.items()
            if len(jobs) > 1
            and model in resident
            and sum(map(left_rows, jobs)) * _row_s(resident[model].engine.stats) >= LEAST_SHARED_S
        }


def share_of(jobs: Sequence[ClaimedJob], idle: int) -> list[ClaimedJob]:
    """The jobs to hand back to `idle` workers: as many rows for each as are kept here, never all jobs.

    Those that have come least far go first, and none of which `MOST_DONE_SHARE` is done.
    """
    if idle <= 0:
        return []
    wanted = sum(map(left_rows, jobs)) * idle / (idle + 1)
    shared: list[ClaimedJob] = []
    shared_rows = 0
    for job in sorted(jobs, key=_done_share):
        if _done_share(job) > MOST_DONE_SHARE or len(shared) == len(jobs) - 1:
            break
        if shared_rows + left_rows(job) / 2 > wanted:
            break
        shared.append(job)
        shared_rows += left_rows(job)
    return shared


def left_rows(job: ClaimedJob) -> int:
    """Rows that a job will take, by what is expected of it."""
    task = job.running_task
    return max(1, max(task.total_rows, job.spec.rows) - task.rows)


def _done_share(job: ClaimedJob) -> float:
    task = job.running_task
    return task.rows / max(1, task.rows + left_rows(job))


def _row_s(stats: EngineStats) -> float:
    """Seconds of a row so far; 0 before the first pass, when nothing is known."""
    return stats.seconds / stats.rows if stats.rows else 0.0
