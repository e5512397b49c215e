"""Which jobs a worker holds, how many more it can claim, and which of them wait to run as one Captum call."""

import threading
from collections import Counter, deque
from collections.abc import Hashable, Iterable
from time import monotonic

from broker import Claim
from schemas.model_key import ModelKey
from workers.jobs.coalesce import coalescible_rows, group_key
from workers.jobs.job import ClaimedJob
from workers.jobs.tuning import (
    ASSUMED_JOB_ROWS,
    HOLD_OFF_S,
    INTERACTIVE_SHARE,
    MAX_ATTEMPTS,
    MAX_CLAIMED_COALESCED_JOBS,
    MAX_CLAIMED_JOBS,
)
from workers.models.pool import ModelPool


class Admission:
    """The jobs of one worker from claim to end. Every method may be called from any thread.

    Args:
        models: the models of this worker.
        max_live: jobs of one model that may run at a time.
    """

    def __init__(self, models: ModelPool, max_live: int) -> None:
        self._models = models
        self._max_live = max_live
        self._lock = threading.Lock()
        self._job_ended = threading.Condition(self._lock)
        self._group_ended = threading.Condition(self._lock)
        self._active: dict[str, ClaimedJob] = {}
        self._groups: dict[Hashable, deque[ClaimedJob]] = {}  # jobs that wait for the run of their group
        self._held_off: dict[ModelKey, float] = {}  # models of which nothing is claimed until then, by `monotonic`

    def capacity(self) -> dict[ModelKey, int]:
        """How many jobs may be claimed now, by model; models without capacity are absent."""
        live = Counter(job.model_key for job in self.active())
        capacity = {}
        now_s = monotonic()
        for key, most in self._running_at_most().items():
            if now_s < self._held_off.get(key, 0.0):
                continue
            count = min(most - live[key], max(MAX_CLAIMED_JOBS, self._coalescible_jobs(key)))
            if count > 0:
                capacity[key] = count
        return capacity

    def hold_off(self, model: ModelKey) -> None:
        """Leaves jobs of a model to other workers for `HOLD_OFF_S`."""
        self._held_off[model] = monotonic() + HOLD_OFF_S

    def for_batch(self) -> dict[ModelKey, int]:
        """How many jobs of batch priority may be claimed now, by model.

        They leave `INTERACTIVE_SHARE` of the running jobs to interactive ones: those would wait for the end of a batch
        job, which may take minutes, before the engine saw their rows and put them first.
        """
        live = Counter(job.model_key for job in self.active() if job.spec.priority == "batch")
        return {
            key: max(0, max_live - int(INTERACTIVE_SHARE * max_live) - live[key])
            for key, max_live in self._running_at_most().items()
        }

    def last_attempts(self) -> int:
        """How many jobs on their last attempt may be claimed.

        At most one runs at a time: when it ends this process, no other job loses its last attempt with it.
        """
        return 0 if any(job.claim.attempt >= MAX_ATTEMPTS for job in self.active()) else 1

    def active(self) -> list[ClaimedJob]:
        """The jobs whose leases must be renewed."""
        with self._lock:
            return list(self._active.values())

    def find(self, job_id: str) -> ClaimedJob | None:
        """The active job of this id."""
        with self._lock:
            return self._active.get(job_id)

    def admit(self, claim: Claim) -> ClaimedJob:
        """Makes a claimed job active."""
        job = ClaimedJob(claim)
        with self._lock:
            self._active[job.id] = job
        return job

    def discharge(self, jobs: Iterable[ClaimedJob]) -> None:
        """Removes jobs that have ended from the active ones."""
        with self._lock:
            for job in jobs:
                if self._active.get(job.id) is job:  # not a later claim of one that was handed back
                    del self._active[job.id]
            self._job_ended.notify_all()

    def group_of(self, job: ClaimedJob) -> Hashable | None:
        """The group in which a job may be coalesced; None where two jobs of its size take too long for one run."""
        rows = 2 * max(job.spec.rows, 1)
        return group_key(job.spec) if rows <= self._coalescible_rows(job.model_key) else None

    def join_group(self, group: Hashable, job: ClaimedJob) -> bool:
        """Lets a job wait for a run of its group. True: the group is new, and the caller must run it."""
        with self._lock:
            waiting = self._groups.get(group)
            if waiting is not None:
                waiting.append(job)
                return False
            self._groups[group] = deque([job])
            return True

    def next_run(self, group: Hashable) -> list[ClaimedJob]:
        """Takes the jobs of a group's next run: the first that waits, and as many more as the run has rows for.

        Returns an empty list, and ends the group, when no job waits.
        """
        with self._lock:
            waiting = self._groups[group]
            if not waiting:
                del self._groups[group]
                self._group_ended.notify_all()
                return []
            jobs = [waiting.popleft()]
            left_rows = self._coalescible_rows(jobs[0].model_key) - jobs[0].spec.rows
            while waiting and waiting[0].spec.rows <= left_rows:
                jobs.append(waiting.popleft())
                left_rows -= jobs[-1].spec.rows
            return jobs

    def wait_for_capacity(self, timeout_s: float) -> None:
        """Returns when a job has ended, or after the time."""
        with self._lock:
            self._job_ended.wait(timeout_s)

    def wait_for_groups(self, timeout_s: float) -> None:
        """Returns when no group runs, or after the time."""
        with self._lock:
            self._group_ended.wait_for(lambda: not self._groups, timeout_s)

    def wait_until_idle(self, timeout_s: float) -> None:
        """Returns when no job is active, or after the time."""
        with self._lock:
            self._job_ended.wait_for(lambda: not self._active, timeout_s)

    def _running_at_most(self) -> dict[ModelKey, int]:
        """How many jobs of each model may be claimed and not ended: more where many run as one call."""
        claimable = self._models.claimable(self._max_live)
        return {key: max(most, self._coalescible_jobs(key)) for key, most in claimable.items()}

    def _coalescible_jobs(self, key: ModelKey) -> int:
        return min(MAX_CLAIMED_COALESCED_JOBS, self._coalescible_rows(key) // ASSUMED_JOB_ROWS)

    def _coalescible_rows(self, key: ModelKey) -> int:
        model = self._models.resident().get(key)
        return 0 if model is None else coalescible_rows(model.engine)
