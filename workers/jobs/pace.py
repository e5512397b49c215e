"""How fast this worker is: the rows that its jobs were expected to take, and the time that it was busy with them.

The rows are those by which the gateway estimated the job, since the backlog is counted in them. The time is that in
which the worker held any job, with all that is between passes; each model has the share of it that its passes took. So
the times of all models add up to that of the worker, as the backlogs of all models do.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from time import monotonic
from typing import NamedTuple

from schemas.model_key import ModelKey
from workers.jobs.job import ClaimedJob


class PacePart(NamedTuple):
    """What was done for one model since the last look: rows expected, and seconds of the worker."""

    rows: float
    busy_s: float


class PaceMeter:
    """Measures one worker. Every method may be called from any thread.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._held = 0  # jobs
        self._since_s = 0.0  # from which time on a worker that holds jobs is busy
        self._busy_s = 0.0  # that belong to no model yet
        self._rows: defaultdict[ModelKey, float] = defaultdict(float)
        self._counted: dict[ClaimedJob, float] = {}  # rows of jobs that have not ended
        self._passes_s: Mapping[ModelKey, float] = {}  # as last seen
        self._returned: dict[ModelKey, PacePart] = {}

    def begin(self) -> None:
        """The worker has one job more."""
        with self._lock:
            if not self._held:
                self._since_s = self._clock()
            self._held += 1

    def end(self, job: ClaimedJob, *, succeeded: bool) -> None:
        """A job has ended. One that did not succeed counts as far as it came."""
        with self._lock:
            self._count(job, float(_expected(job)) if succeeded else _done(job))
            self._counted.pop(job, None)
            self._held -= 1
            if not self._held:
                self._busy_s += self._clock() - self._since_s

    def take(self, active: Iterable[ClaimedJob], passes_s: Mapping[ModelKey, float]) -> dict[ModelKey, PacePart]:
        """What was done since the last call.

        Args:
            active: jobs that have not ended; they count as far as they have come.
            passes_s: seconds of all passes of each model in memory, since it was loaded.
        """
        with self._lock:
            if self._held:
                now = self._clock()
                self._busy_s += now - self._since_s
                self._since_s = now
            for job in active:
                self._count(job, _done(job))
            shares = {model: seconds - self._seen(model, seconds) for model, seconds in passes_s.items()}
            self._passes_s = dict(passes_s)
            whole = sum(shares.values())
            if whole <= 0:  # no pass: methods fit, or every output was known
                shares, whole = dict(self._rows), sum(self._rows.values())
            if whole <= 0:
                return self._take_returned()
            taken = self._take_returned()
            for model in self._rows.keys() | shares.keys():
                part = PacePart(self._rows.get(model, 0.0), self._busy_s * shares.get(model, 0.0) / whole)
                if part.rows or part.busy_s:
                    taken[model] = _added(taken.get(model), part)
            self._rows.clear()
            self._busy_s = 0.0
            return taken

    def put_back(self, parts: Mapping[ModelKey, PacePart]) -> None:
        """Keeps what could not be told for the next call of `take`."""
        with self._lock:
            for model, part in parts.items():
                self._returned[model] = _added(self._returned.get(model), part)

    def _count(self, job: ClaimedJob, done: float) -> None:
        self._rows[job.model_key] += max(0.0, done - self._counted.get(job, 0.0))
        self._counted[job] = max(done, self._counted.get(job, 0.0))

    def _seen(self, model: ModelKey, seconds: float) -> float:
        """The seconds of its passes at the last look; 0 for a model that was loaded since."""
        before = self._passes_s.get(model, 0.0)
        return before if before <= seconds else 0.0

    def _take_returned(self) -> dict[ModelKey, PacePart]:
        taken, self._returned = self._returned, {}
        return taken


def _expected(job: ClaimedJob) -> int:
    return max(1, job.spec.rows)


def _done(job: ClaimedJob) -> float:
    """The rows that a job was expected to take, as far as it has come."""
    total = max(job.task.rows, job.task.total_rows)
    return _expected(job) * job.task.rows / total if total else 0.0


def _added(before: PacePart | None, part: PacePart) -> PacePart:
    return part if before is None else PacePart(before.rows + part.rows, before.busy_s + part.busy_s)
