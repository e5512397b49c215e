"""Which models leave memory when a load needs it. Pure.

Idle models leave first, the least recently used before the others. Where only busy models are in the way, those that
have been in memory longest are drained: they take no new jobs, and leave when their jobs end. So every waiting model
is loaded in the end. A model is drained only after it has stayed for some times its loading time, which bounds the
share of time that loading takes.
"""

from collections.abc import Iterable
from typing import NamedTuple

from schemas.model_key import ModelKey


class EvictionCandidate(NamedTuple):
    """A model in memory."""

    key: ModelKey
    bytes: int
    busy: bool
    last_used: float  # by any clock
    stays_until_s: float  # by the monotonic clock; a busy model is not drained before


class DrainPlan(NamedTuple):
    """Models to drain.

    Attributes:
        keys: models that take no new jobs.
        spare_bytes: free bytes that are left when these models are gone and the waiting model is loaded.
        recheck_s: seconds until another model may be drained; None where none has to stay.
    """

    keys: frozenset[ModelKey]
    spare_bytes: int
    recheck_s: float | None


def victims(candidates: Iterable[EvictionCandidate], need: int, free: int) -> list[ModelKey] | None:
    """The idle models to evict so that `need` bytes fit into `free` and theirs; None where all are not enough.

    No model is evicted without need: one that a later, larger choice makes superfluous stays.
    """
    chosen: list[EvictionCandidate] = []
    for candidate in sorted((one for one in candidates if not one.busy), key=lambda one: one.last_used):
        if need <= free:
            break
        chosen.append(candidate)
        free += candidate.bytes
    for candidate in reversed(chosen[:-1]):
        if free - candidate.bytes >= need:
            chosen.remove(candidate)
            free -= candidate.bytes
    return [candidate.key for candidate in chosen] if need <= free else None


def drain(candidates: Iterable[EvictionCandidate], need: int, free: int, now_s: float) -> DrainPlan:
    """The models to drain so that `need` bytes fit in the end. Idle models among them are in the plan too."""
    chosen: set[ModelKey] = set()
    staying: list[float] = []
    for candidate in sorted(candidates, key=lambda one: (one.busy, one.stays_until_s)):
        if need <= free:
            break
        if candidate.busy and candidate.stays_until_s > now_s:
            staying.append(candidate.stays_until_s - now_s)
            continue
        chosen.add(candidate.key)
        free += candidate.bytes
    return DrainPlan(frozenset(chosen), max(0, free - need), min(staying, default=None))
