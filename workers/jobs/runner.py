"""Jobs in this worker, from claim to finish: each in its own thread, or with its likes where rows are cheap."""

import threading
from collections import Counter, deque
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter
from typing import Any, TypeVar

import structlog

from broker import Claim, FinishedJob, WorkerQueue
from schemas.errors import JobCancelled, JobError, JobFailed, StoreFull, StoreUnavailable
from schemas.jobs import JobFailure
from schemas.model_key import ModelKey
from workers.engine.error_trace import without_data
from workers.engine.task import Task
from workers.engine.threads import use_threads
from workers.jobs.coalesce import answer_together, group_key, short_rows
from workers.jobs.result import Answer, Asked, answer
from workers.jobs.statistics import JobStatistics
from workers.models.load import ResidentModel
from workers.models.pool import ModelPool

log = structlog.get_logger()
T = TypeVar("T")
MAX_ATTEMPTS = 3  # workers that may die on a job
CLAIM_AT_ONCE = 8  # so that one worker does not hoard what others could start
TOGETHER_AT_ONCE = 64  # of jobs that are over in no time
TOGETHER_ROWS = 32  # that such a job is taken to have at least, until it is known
MAX_THREADS = 4_096  # made as they are needed; what may be claimed keeps far below
FINISH_RETRY_S = 0.5  # between tries to hand a result in while the store is away


@dataclass(slots=True, eq=False)
class RunningJob:
    """A claimed job and its place in the engine. `model` is there once it is in memory, until the job ends."""

    claim: Claim
    task: Task
    model: ResidentModel | None = None
    reported: tuple[int, int] = (-1, -1)

    @property
    def key(self) -> str:
        return f"{self.claim.spec.model}@{self.claim.spec.version}"

    def asked(self) -> Asked:
        claim = self.claim
        return Asked(claim.job_id, claim.spec, claim.payload, queued_ms=claim.started_ms - claim.created_ms)


class JobRunner:
    """Runs claims. `room` says how many of a model are welcome now; `active` are those whose leases must be kept."""

    def __init__(self, queue: WorkerQueue, models: ModelPool, max_live: int) -> None:
        self._queue = queue
        self._models = models
        self._max_live = max_live
        self._lock = threading.Condition()
        self._active: dict[str, RunningJob] = {}
        self._together: dict[Hashable, deque[RunningJob]] = {}  # waiting for others of their group key to be done
        self._stopping = threading.Event()
        self._pool = ThreadPoolExecutor(
            max_workers=MAX_THREADS,
            thread_name_prefix="job",
            initializer=use_threads,
            initargs=(1,),  # the passes have the cores
        )
        self.statistics = JobStatistics()

    def room(self) -> dict[ModelKey, int]:
        """How many jobs may be claimed at once, per model with room."""
        live = Counter(job.key for job in self.active())
        found = {}
        for key, most in self._models.claimable(self._max_live).items():
            together = min(TOGETHER_AT_ONCE, self._short_rows(key) // TOGETHER_ROWS)
            room = min(max(most, together) - live[key], max(CLAIM_AT_ONCE, together))
            if room > 0:
                found[ModelKey.parse(key)] = room
        return found

    def gather(self, timeout_s: float) -> None:
        """While jobs run together, waits for that time or their end: what comes meanwhile is then claimed at once."""
        with self._lock:
            self._lock.wait_for(lambda: not self._together, timeout_s)

    def last_attempts(self) -> int:
        """How many jobs on their last attempt may be started: one at a time, for it may be what kills workers."""
        return 0 if any(job.claim.attempt >= MAX_ATTEMPTS for job in self.active()) else 1

    def wait_for_room(self, timeout_s: float) -> None:
        """Returns when a job has ended, or after the time."""
        with self._lock:
            self._lock.wait(timeout_s)

    def active(self) -> list[RunningJob]:
        with self._lock:
            return list(self._active.values())

    def start(self, claim: Claim) -> None:
        job = RunningJob(claim, Task(claim.job_id, claim.spec.priority, total_rows=claim.spec.rows))
        with self._lock:
            self._active[claim.job_id] = job
        group = self._group(job)
        if group is None:
            self._pool.submit(self._run, job)
            return
        with self._lock:
            waiting = self._together.get(group)
            if waiting is not None:  # its turn comes when those that run now are done
                waiting.append(job)
                return
            self._together[group] = deque([job])
        self._pool.submit(self._run_waiting, group)

    def _group(self, job: RunningJob) -> Hashable | None:
        """What it may run together with, where that pays: two of its kind are over in no time."""
        spec = job.claim.spec
        return group_key(spec) if 2 * max(spec.rows, 1) <= self._short_rows(job.key) else None

    def cancel(self, job_id: str) -> None:
        """Stops a job at its next pass; its result, if any, is not handed in."""
        with self._lock:
            job = self._active.get(job_id)
        if job is not None:
            self._cancel(job)

    def stop(self, grace_s: float) -> None:
        """Lets running jobs end for a while, then gives the others back to the queue."""
        with self._lock:
            self._lock.wait_for(lambda: not self._active, timeout=grace_s)
        self._stopping.set()
        for job in self.active():
            self._cancel(job)
        self._pool.shutdown(wait=True)

    def _cancel(self, job: RunningJob) -> None:
        job.task.cancelled.set()
        model = job.model
        if model is not None:
            model.engine.cancel(job.task)
        self._models.wake()

    def _run(self, job: RunningJob) -> None:
        """One job by itself."""
        try:
            result: Answer | Exception = self._answer(job)
        except Exception as error:  # Captum validates with assert, and raises what it likes
            result = error
        self._settle([(job, result)])

    def _run_waiting(self, key: Hashable) -> None:
        """Jobs of one group key, as many at a time as are over soon, until none waits."""
        while jobs := self._take(key):
            try:
                with self._models.use(jobs[0].key, jobs[0].task) as model:
                    results = answer_together(model, [(job.asked(), job.task) for job in jobs])
            except JobCancelled:  # the first, while it waited for the model
                for job in jobs:
                    self._run(job)
            except Exception as error:
                self._settle([(job, error) for job in jobs])
            else:
                self._settle(list(zip(jobs, results, strict=True)))

    def _take(self, key: Hashable) -> list[RunningJob]:
        with self._lock:
            waiting = self._together[key]
            if not waiting:
                del self._together[key]
                self._lock.notify_all()
                return []
            room = self._short_rows(waiting[0].key)
            jobs = [waiting.popleft()]
            room -= jobs[0].claim.spec.rows
            while waiting and waiting[0].claim.spec.rows <= room:
                jobs.append(waiting.popleft())
                room -= jobs[-1].claim.spec.rows
            return jobs

    def _short_rows(self, key: str) -> int:
        model = self._models.resident().get(key)
        return 0 if model is None else short_rows(model.engine)

    def _settle(self, results: list[tuple[RunningJob, Answer | Exception]]) -> None:
        """Tells the store what became of jobs, in one round trip for those that succeeded."""
        try:
            done = [(job, result) for job, result in results if isinstance(result, Answer)]
            for job, result in results:
                if not isinstance(result, Answer):
                    self._end(job, result)
            self._finish(done)
        finally:
            with self._lock:
                for job, _ in results:
                    self._active.pop(job.claim.job_id, None)
                self._lock.notify_all()

    def _finish(self, done: list[tuple[RunningJob, Answer]]) -> None:
        finished = [
            FinishedJob(
                job.claim,
                result.meta.model_dump_json().encode(),
                result.tensors,
                result.meta.target,
                reusable=job.claim.spec.digest in (None, result.meta.model.digest),
            )
            for job, result in done
        ]
        if not finished:
            return
        started = perf_counter()
        outcomes = self._hand_in(lambda: self._queue.finish_all(finished)) or []
        finish_s = perf_counter() - started
        for job, result in done:
            self.statistics.add_timing(job.key, result.meta.timing, finish_s)
        jobs = {job.claim.job_id: (job, result) for job, result in done}
        for one, outcome in zip(finished, outcomes, strict=False):
            job, result = jobs[one.claim.job_id]
            if isinstance(outcome, StoreFull):
                self._fail(job, JobFailed("the job store had no room for the result"))
            elif outcome:
                self.statistics.count_succeeded(job.key)
                self._logger(job).info("job succeeded", **result.meta.timing.model_dump())

    def _end(self, job: RunningJob, error: Exception) -> None:
        """A job that has no result."""
        if isinstance(error, JobCancelled):
            if self._stopping.is_set():
                self._hand_in(lambda: self._queue.release(job.claim))
            self._logger(job).info("job stopped")
        elif isinstance(error, JobError):
            self._fail(job, error)
        else:
            self._logger(job).error("job raised", exception=without_data(error))
            self._fail(job, _as_failure(error))

    @staticmethod
    def _logger(job: RunningJob) -> Any:
        return log.bind(job=job.claim.job_id, model=job.key, method=job.claim.spec.method.get("name"))

    def _answer(self, job: RunningJob) -> Answer:
        asked = job.asked()
        with self._models.use(job.key, job.task) as model:
            job.model = model
            try:
                return answer(model, job.task, asked.job_id, asked.spec, asked.payload, asked.queued_ms)
            finally:
                job.model = None  # it may be evicted while the result is handed in

    def _fail(self, job: RunningJob, error: JobError) -> None:
        self.statistics.count_failed(job.key)
        log.warning("job failed", job=job.claim.job_id, model=job.key, code=error.code)
        failure = JobFailure(code=error.code, title=error.title, detail=error.detail)
        self._hand_in(lambda: self._queue.fail(job.claim, failure))

    def _hand_in(self, call: Callable[[], T]) -> T | None:
        """Tries until the store has heard it. While the job is active its lease is kept, so nobody else starts it."""
        while True:
            try:
                return call()
            except StoreUnavailable:
                if self._stopping.wait(FINISH_RETRY_S):
                    return None


def _as_failure(error: Exception) -> JobError:
    """What a client may know of an unforeseen error: its kind, and Captum's own word where it asserts on input."""
    if isinstance(error, AssertionError) and error.args:
        return JobFailed(f"the method refused this request: {str(error)[:300]}")
    return JobFailed(f"the method raised {type(error).__name__}")
