"""The thread of a worker that keeps monitors: learns which there are, tells them what was explained, and computes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import orjson
import structlog
from pydantic import ValidationError

from broker import FedMonitors, MonitorGone, WatchedMonitor
from schemas.errors import StoreFull, Unavailable
from schemas.monitors import PARTS
from schemas.results import ResultMeta
from workers.engine.error_trace import without_data
from workers.monitors.counters import Counters
from workers.monitors.explanations import Explanation, explanations
from workers.monitors.reference import Made, Reference, make_reference
from workers.monitors.statistics import drift_statistics
from workers.monitors.tuning import STEP_S
from workers.monitors.watching import Pending, Watching
from workers.monitors.window_words import new_words

log = structlog.get_logger()
NO_REFERENCE = "no explanation of the reference could be used"


class MonitorKeeper(threading.Thread):
    """Repeats `step` until `end`. It has a thread of its own, since a reference of many jobs takes seconds to read."""

    def __init__(self, monitors: FedMonitors, watching: Watching) -> None:
        super().__init__(name="monitors", daemon=True)
        self._monitors = monitors
        self._watching = watching
        self._known: dict[str, WatchedMonitor] = {}
        self._references: dict[str, Reference] = {}
        self._unreadable: set[str] = set()
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(STEP_S):
            self._step_if_possible()

    def end(self) -> None:
        """Stops the thread, waits for it, and tells what was explained last."""
        self._ended.set()
        self.join()
        self._step_if_possible()

    def step(self) -> None:
        """Reads which monitors there are, tells each what was explained, and computes what has become complete.

        Raises:
            Unavailable: the job store is away; nothing is lost.
        """
        self._learn()
        for one in list(self._known.values()):
            if one.reference is None and one.definition.jobs:
                with self._guarded(one):
                    self._read_jobs(one)
        taken = self._watching.take()
        try:
            for generation, pending in taken.items():
                self._tell(generation, pending)
        finally:
            for generation, pending in taken.items():
                self._watching.put_back(generation, pending)
        self._compute()

    def _step_if_possible(self) -> None:
        try:
            self.step()
        except Unavailable:
            log.warning("job store is away", action="keep monitors")

    def _learn(self) -> None:
        self._known = self._monitors.read(self._known)
        for generation in self._references.keys() - self._known.keys():
            del self._references[generation]
        for generation, one in self._known.items():
            if one.reference is not None and generation not in self._references:
                try:
                    self._references[generation] = Reference.model_validate_json(one.reference)
                except ValidationError:
                    if generation not in self._unreadable:
                        log.warning("monitor unreadable", monitor=one.id)
                    self._unreadable.add(generation)
        self._watching.watch(
            one for one in self._known.values() if one.reference is None or one.generation in self._references
        )

    def _tell(self, generation: str, pending: Pending) -> None:
        """Tells one monitor, and takes out of `pending` what it was told, or will never need."""
        one = self._known.get(generation)
        if one is not None:
            with self._guarded(one):
                self._feed(one, pending)
                return
        pending.clear()

    @contextmanager
    def _guarded(self, one: WatchedMonitor) -> Iterator[None]:
        """A monitor that is gone, or whose data cannot be worked with, must hinder neither others nor the worker."""
        try:
            yield
        except MonitorGone:
            pass
        except StoreFull:
            raise
        except Unavailable:
            self._monitors.read(self._known)  # raises where the store is away; else this monitor's keys are damaged
            log.error("monitor not kept", monitor=one.id, reason="the job store refuses what is done with it")
        except Exception as error:
            log.error("monitor not kept", monitor=one.id, exception=without_data(error))

    def _feed(self, one: WatchedMonitor, pending: Pending) -> None:
        if one.reference is None and (one.definition.jobs or not self._collect(one, pending)):
            return
        reference = self._references.get(one.generation)
        if reference is None:
            return  # another worker completes it: the next step knows it, and `pending` keeps the rest
        self._count(one, reference, pending)

    def _collect(self, one: WatchedMonitor, pending: Pending) -> bool:
        """Adds to the reference; returns whether it is complete."""
        blobs = [explanation.packed() for explanation in pending.explanations]
        taken, is_full = self._monitors.collect(one, blobs, pending.skipped)
        pending.skipped = 0
        del pending.explanations[:taken]
        if is_full:
            self._freeze(one, [Explanation.unpacked(blob) for blob in self._monitors.collected(one)], 0)
            self._learn()
        return is_full

    def _read_jobs(self, one: WatchedMonitor) -> None:
        """Makes the reference of the results of jobs, unless another worker does."""
        if not self._monitors.lock_reference(one):
            return
        found: list[Explanation] = []
        skipped = 0
        for job_id in one.definition.jobs or ():
            stored = self._monitors.result(job_id)
            own = [] if stored is None else _readable(*stored)
            found += own
            skipped += not own
        self._freeze(one, found, skipped)
        self._learn()

    def _freeze(self, one: WatchedMonitor, given: list[Explanation], skipped: int) -> None:
        if not given and not skipped:
            return  # another worker has completed it meanwhile
        made: Made | None = make_reference(given, one.definition.columns)
        if made is None:
            self._monitors.freeze(one, b"", 0, skipped=skipped + len(given), problem=NO_REFERENCE)
            return
        document = made.reference.model_dump_json().encode()
        self._monitors.freeze(one, document, made.reference.count, skipped=skipped + made.skipped)

    def _count(self, one: WatchedMonitor, reference: Reference, pending: Pending) -> None:
        """Counts the explanations in parts of the window, each with as many as it has room for."""
        counters = Counters(reference)
        usable = []
        for explanation in pending.explanations:
            values = reference.values_of(explanation, one.definition.columns)
            if values is None:
                pending.skipped += 1
            else:
                usable.append((explanation, values))
        pending.explanations = [explanation for explanation, _ in usable]
        room = one.definition.part
        while usable or pending.skipped:
            batch = usable[:room]
            given = [explanation for explanation, _ in batch]
            added = counters.add(given, [values for _, values in batch]) if batch else {}
            words = new_words(given, reference)
            counted = self._monitors.count(one, len(batch), added, words, pending.skipped)
            if not counted.is_counted:
                room = counted.room
                continue
            room = one.definition.part
            pending.skipped = 0
            del usable[: len(batch)]
            del pending.explanations[: len(batch)]

    def _compute(self) -> None:
        """Computes the statistics of windows that have moved on."""
        known = [one for one in self._known.values() if one.generation in self._references]
        for one, (full_parts, told_parts) in zip(known, self._monitors.progress(known), strict=True):
            if full_parts >= PARTS and full_parts > told_parts:
                with self._guarded(one):
                    self._compute_one(one, full_parts)

    def _compute_one(self, one: WatchedMonitor, full_parts: int) -> None:
        reference = self._references[one.generation]
        parts = self._monitors.parts(one, full_parts)
        if parts is None:
            return  # the window has moved on
        statistics = drift_statistics(reference, Counters(reference).read(parts.counters), parts.words)
        figures = {"ndcg": statistics.ndcg, "psi_max": statistics.psi_max, "psi_score": statistics.psi_score}
        self._monitors.tell(one, full_parts, orjson.dumps(figures), statistics.model_dump_json().encode())


def _readable(meta: bytes, tensors: bytes) -> list[Explanation]:
    """The explanations of a stored result; none of a damaged one."""
    try:
        return explanations(ResultMeta.model_validate_json(meta), tensors)
    except Exception as error:
        log.warning("result not watched", error=type(error).__name__)
        return []
