"""Which monitors watch which results, and what results have added to them since the job store was told."""

import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import structlog

from broker import WatchedMonitor
from schemas.jobs import JobSpec
from schemas.results import ResultMeta
from workers.monitors.explanations import Explanation, explanations
from workers.monitors.tuning import MAX_PENDING

log = structlog.get_logger()


@dataclass(slots=True)
class Pending:
    """What one monitor is to be told: explanations, and how many there were that it cannot use."""

    explanations: list[Explanation] = field(default_factory=list)
    skipped: int = 0

    def add(self, found: Iterable[Explanation]) -> None:
        for one in found:
            if len(self.explanations) < MAX_PENDING:
                self.explanations.append(one)
            else:
                self.skipped += 1

    def clear(self) -> None:
        self.explanations, self.skipped = [], 0


class Watching:
    """Every method may be called from any thread. A result that nothing watches costs a look into a dictionary."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_model: dict[str, list[WatchedMonitor]] = {}
        self._pending: defaultdict[str, Pending] = defaultdict(Pending)

    def watch(self, monitors: Iterable[WatchedMonitor]) -> None:
        """From now on these are the monitors; what others have not been told is forgotten."""
        by_model: defaultdict[str, list[WatchedMonitor]] = defaultdict(list)
        for one in monitors:
            by_model[one.definition.model].append(one)
        known = {one.generation for group in by_model.values() for one in group}
        with self._lock:
            self._by_model = dict(by_model)
            for generation in self._pending.keys() - known:
                del self._pending[generation]

    def observe(self, spec: JobSpec, meta: ResultMeta, tensors: bytes, scores: Sequence[float]) -> None:
        """Adds a computed result to the monitors that watch it. Never raises: a monitor must not cost a job."""
        watching = [one for one in self._by_model.get(spec.model, ()) if one.definition.watches(spec)]
        if not watching:
            return
        try:
            found = explanations(meta, tensors, scores)
        except Exception as error:
            log.warning("result not watched", error=type(error).__name__)
            found = []
        with self._lock:
            for one in watching:
                pending = self._pending[one.generation]
                pending.add(found)
                pending.skipped += len(meta.predictions) if not found else 0

    def take(self) -> dict[str, Pending]:
        """What was added since the last call, by generation."""
        with self._lock:
            taken, self._pending = self._pending, defaultdict(Pending)
        return taken

    def put_back(self, generation: str, pending: Pending) -> None:
        """Adds what could not be told, before what was added since."""
        if not pending.explanations and not pending.skipped:
            return
        with self._lock:
            later = self._pending[generation]
            self._pending[generation] = pending
            pending.skipped += later.skipped
            pending.add(later.explanations)
