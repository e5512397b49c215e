"""Jobs in this worker: each in a thread of its own, from claim to finish."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import structlog

from broker import Claim, WorkerQueue
from schemas.errors import JobCancelled, JobError, JobFailed, StoreFull, StoreUnavailable
from schemas.jobs import JobFailure
from workers.answer import Answer, answer
from workers.engine.task import Task
from workers.engine.threads import use_threads
from workers.pool import ModelPool
from workers.resident import ResidentModel

log = structlog.get_logger()
MAX_ATTEMPTS = 3  # workers that may die on a job
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


class JobRunner:
    """Runs claims. `room` says how many more of a model are welcome; `active` are those whose leases must be kept."""

    def __init__(self, queue: WorkerQueue, models: ModelPool, max_live: int) -> None:
        self._queue = queue
        self._models = models
        self._max_live = max_live
        self._lock = threading.Condition()
        self._active: dict[str, RunningJob] = {}
        self._stopping = threading.Event()
        self._pool = ThreadPoolExecutor(
            max_workers=MAX_THREADS,
            thread_name_prefix="job",
            initializer=use_threads,
            initargs=(1,),  # the passes have the cores
        )
        self.jobs: Counter[str] = Counter()  # by name@version
        self.failed: Counter[str] = Counter()

    def room(self) -> dict[str, int]:
        """How many jobs may be claimed, per model with room."""
        live = Counter(job.key for job in self.active())
        claimable = self._models.claimable(self._max_live)
        return {key: most - live[key] for key, most in claimable.items() if live[key] < most}

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
        self._pool.submit(self._run, job)

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
        claim = job.claim
        logger = log.bind(job=claim.job_id, model=job.key, method=claim.spec.method.get("name"))
        try:
            result = self._answer(job)
        except JobCancelled:
            if self._stopping.is_set():
                self._hand_in(lambda: self._queue.release(claim))
            logger.info("job stopped")
        except JobError as error:
            self._fail(job, error)
        except Exception as error:  # Captum validates with assert, and raises what it likes
            logger.exception("job raised")
            self._fail(job, _as_failure(error))
        else:
            meta = result.meta.model_dump_json().encode()
            try:
                if self._hand_in(lambda: self._queue.finish(claim, meta, result.tensors, result.meta.target)):
                    self.jobs[job.key] += 1
                    logger.info("job succeeded", **result.meta.timing.model_dump())
            except StoreFull:
                self._fail(job, JobFailed("the job store had no room for the result"))
        finally:
            with self._lock:
                self._active.pop(claim.job_id, None)
                self._lock.notify_all()

    def _answer(self, job: RunningJob) -> Answer:
        claim = job.claim
        with self._models.use(job.key, job.task) as model:
            job.model = model
            try:
                queued_ms = claim.started_ms - claim.created_ms
                return answer(model, job.task, claim.job_id, claim.spec, claim.payload, queued_ms=queued_ms)
            finally:
                job.model = None  # it may be evicted while the result is handed in

    def _fail(self, job: RunningJob, error: JobError) -> None:
        self.failed[job.key] += 1
        log.warning("job failed", job=job.claim.job_id, model=job.key, code=error.code)
        failure = JobFailure(code=error.code, title=error.title, detail=error.detail)
        self._hand_in(lambda: self._queue.fail(job.claim, failure))

    def _hand_in(self, call: Callable[[], bool]) -> bool:
        """Tries until the store has heard it. While the job is active its lease is kept, so nobody else starts it."""
        while True:
            try:
                return call()
            except StoreUnavailable:
                if self._stopping.wait(FINISH_RETRY_S):
                    return False


def _as_failure(error: Exception) -> JobError:
    """What a client may know of an unforeseen error: its kind, and Captum's own word where it asserts on input."""
    if isinstance(error, AssertionError) and error.args:
        return JobFailed(f"the method refused this request: {str(error)[:300]}")
    return JobFailed(f"the method raised {type(error).__name__}")
