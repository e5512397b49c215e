"""Monitors of attribution drift as a worker feeds them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from redis.exceptions import ResponseError

from broker.monitor_hash import read_definition
from broker.records import StoredResult
from broker.scripts import Argument
from broker.store_errors import store_errors
from broker.stored_job import NOT_READABLE
from broker.tuning import REFERENCE_LOCK_S
from broker.worker.sync_connection import SyncConnection
from schemas.monitors import PARTS, MonitorDefinition


@dataclass(frozen=True, slots=True)
class WatchedMonitor:
    """A monitor as workers know it. `reference` is JSON of theirs, None while it is not complete."""

    id: str
    generation: str
    definition: MonitorDefinition
    reference: bytes | None = None


class Progress(NamedTuple):
    """Full parts of a monitor's windows, and how many there were when its statistics were computed last."""

    full_parts: int
    told_parts: int


class Counted(NamedTuple):
    """What became of explanations: whether they were counted, the room of the part if not, or full parts if so."""

    is_counted: bool
    room: int
    full_parts: int


class WindowParts(NamedTuple):
    """The counters of the parts of a window, and the new words of each by weight."""

    counters: list[bytes]
    words: list[dict[str, float]]


class MonitorGone(Exception):
    """The monitor was deleted or replaced, or has expired."""


class FedMonitors:
    """What one worker reads of the monitors of a store and adds to them.

    Methods that take a monitor raise `MonitorGone`, but for those that read.
    """

    def __init__(self, connection: SyncConnection, worker_id: str) -> None:
        self._connection = connection
        self._keys = connection.keys
        self._worker_id = worker_id

    def read(self, known: Mapping[str, WatchedMonitor]) -> dict[str, WatchedMonitor]:
        """The monitors by generation. One with a reference does not change, so it is taken from `known`."""
        with store_errors():
            index: Any = self._connection.client.hgetall(self._keys.monitors)
        generations = {value.decode(errors="replace"): name.decode(errors="replace") for name, value in index.items()}
        kept = {new: known[new] for new in generations if new in known and known[new].reference is not None}
        unread = [generation for generation in generations if generation not in kept]
        if not unread:
            return kept
        with store_errors(), self._connection.client.pipeline(transaction=False) as pipeline:
            for generation in unread:
                pipeline.hmget(self._keys.monitor(generation), ["definition", "reference", "problem"])
            replies: list[Any] = pipeline.execute(raise_on_error=False)
        read = [_watched(generations[new], new, reply) for new, reply in zip(unread, replies, strict=True)]
        return kept | {one.generation: one for one in read if one is not None}

    def progress(self, monitors: Sequence[WatchedMonitor]) -> list[Progress]:
        """Of each monitor; zeros where it cannot be read."""
        if not monitors:
            return []
        with store_errors(), self._connection.client.pipeline(transaction=False) as pipeline:
            for one in monitors:
                pipeline.hmget(self._keys.monitor(one.generation), ["full_parts", "statistics_parts"])
            replies: list[Any] = pipeline.execute(raise_on_error=False)
        return [_progress(reply) for reply in replies]

    def collect(self, one: WatchedMonitor, explanations: Sequence[bytes], skipped: int) -> tuple[int, bool]:
        """Adds explanations to the reference; returns how many it took, and whether it has all now."""
        keys = [self._keys.monitor(one.generation), self._keys.monitor_raw(one.generation)]
        first = one.definition.first or 0
        taken, is_full = self._connection.run("collect_monitor", keys, one.generation, first, skipped, *explanations)
        if taken < 0:
            raise MonitorGone
        return int(taken), bool(is_full)

    def collected(self, one: WatchedMonitor) -> list[bytes]:
        """The explanations of a reference that is not complete."""
        with store_errors():
            found: Any = self._connection.client.lrange(self._keys.monitor_raw(one.generation), 0, -1)
        return list(found)

    def lock_reference(self, one: WatchedMonitor) -> bool:
        """Whether this worker is to make the reference of jobs; for `REFERENCE_LOCK_S` no other one tries."""
        key = self._keys.monitor_lock(one.generation)
        with store_errors():
            return bool(self._connection.client.set(key, self._worker_id, nx=True, ex=REFERENCE_LOCK_S))

    def result(self, job_id: str) -> StoredResult | None:
        """The result of a job, its own or the one that it shares; None if it has none."""
        own = self._result_of(job_id)
        if own is not None:
            return own
        with store_errors():
            leader: Any = self._connection.client.hget(self._keys.job(job_id), "leader")
        return None if leader is None else self._result_of(leader.decode(errors="replace"))

    def freeze(self, one: WatchedMonitor, reference: bytes, count: int, *, skipped: int = 0, problem: str = "") -> None:
        """Completes the reference with `count` explanations, unless another worker has; or, where it is empty, says
        why it cannot be made."""
        keys = [self._keys.monitor(one.generation)]
        self._connection.run("freeze_monitor", keys, one.generation, reference, count, skipped, problem)

    def count(
        self,
        one: WatchedMonitor,
        explanations: int,
        counters: Mapping[int, int],
        words: Mapping[str, float],
        skipped: int,
    ) -> Counted:
        """Adds explanations to the part that is being filled: amounts by the place of their counter."""
        pairs: list[Argument] = [number for pair in counters.items() for number in pair]
        weights: list[Argument] = [text for word, weight in words.items() for text in (word, repr(weight))]
        keys, part = [self._keys.monitor(one.generation)], one.definition.part
        numbers: list[Argument] = [explanations, part, skipped, len(counters)]
        outcome, number = self._connection.run("count_monitor", keys, one.generation, *numbers, *pairs, *weights)
        if outcome < 0:
            raise MonitorGone
        return Counted(bool(outcome), 0 if outcome else int(number), int(number) if outcome else 0)

    def parts(self, one: WatchedMonitor, full_parts: int) -> WindowParts | None:
        """The parts of the window that ends with this one; None where one is gone meanwhile."""
        numbers = range(full_parts - PARTS, full_parts)
        with store_errors(), self._connection.client.pipeline(transaction=False) as pipeline:
            for number in numbers:
                pipeline.get(self._keys.monitor_part(one.generation, number))
                pipeline.zrange(self._keys.monitor_words(one.generation, number), 0, -1, withscores=True)
            replies: list[Any] = pipeline.execute(raise_on_error=False)
        counters, words = replies[::2], replies[1::2]
        if any(blob is None for blob in counters) or any(isinstance(reply, ResponseError) for reply in replies):
            return None
        return WindowParts(counters, [{word.decode(errors="replace"): w for word, w in part} for part in words])

    def tell(self, one: WatchedMonitor, full_parts: int, figures: bytes, statistics: bytes) -> None:
        """Writes what was computed of the window that ends with this part, unless a later one was."""
        self._connection.run("tell_monitor", [self._keys.monitor(one.generation)], full_parts, figures, statistics)

    def _result_of(self, job_id: str) -> StoredResult | None:
        with store_errors():
            meta, tensors = cast(
                list[Any], self._connection.client.mget([self._keys.result(job_id), self._keys.tensors(job_id)])
            )
        return None if meta is None or tensors is None else (meta, tensors)


def _watched(stored_id: str, generation: str, reply: Any) -> WatchedMonitor | None:
    """The monitor of a reply; None if it has expired, cannot be read, or can have no reference."""
    if isinstance(reply, Exception) and not isinstance(reply, ResponseError):
        raise reply
    try:
        definition_text, reference, problem = [None] * 3 if isinstance(reply, ResponseError) else reply
        definition = read_definition(definition_text)
    except NOT_READABLE:
        return None
    if definition is None or problem is not None:
        return None
    return WatchedMonitor(stored_id, generation, definition, reference)


def _progress(reply: Any) -> Progress:
    if isinstance(reply, ResponseError):
        return Progress(0, 0)
    if isinstance(reply, Exception):
        raise reply
    try:
        return Progress(int(reply[0] or 0), int(reply[1] or 0))
    except NOT_READABLE:
        return Progress(0, 0)
