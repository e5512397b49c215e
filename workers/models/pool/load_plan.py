"""Which model is loaded next, and which models leave memory for it. Pure: it reads slots and changes none."""

from collections.abc import Collection, Iterator
from typing import NamedTuple

from schemas.model_key import ModelKey
from workers.models.pool.eviction import EvictionCandidate, drain, victims
from workers.models.pool.slot import Slot
from workers.models.tuning import MIN_STAY_LOAD_TIMES


class LoadPlan(NamedTuple):
    """What the loading thread does next.

    Attributes:
        slot: the slot to load; None where nothing can be loaded now.
        evict: slots to evict before it.
        draining: models that take no new jobs, so that a waiting model fits when their jobs end.
        recheck_s: seconds after which the plan changes even if nothing happens.
    """

    slot: Slot | None = None
    evict: tuple[Slot, ...] = ()
    draining: frozenset[ModelKey] = frozenset()
    recheck_s: float | None = None


def plan_load(slots: dict[ModelKey, Slot], free: int, now_s: float) -> LoadPlan:
    """Plans to load the slot that has needed it longest; while that has to wait, another that fits without delaying it.

    Args:
        slots: all slots by key.
        free: bytes that no model takes; negative where a model turned out larger than expected.
        now_s: the monotonic clock.
    """
    needed = sorted((slot for slot in slots.values() if slot.needs_load and not slot.loading), key=_needed_since)
    if not needed:
        return LoadPlan()
    first, *others = needed
    need = first.bytes or 0
    evicted = victims(candidates(slots.values(), without=first), need, free)
    if evicted is not None:
        return LoadPlan(first, tuple(slots[key] for key in evicted))
    if first.current is not None and not first.busy:  # it fits only in the place of the model that it replaces
        return LoadPlan(first, (first,))
    draining, spare_bytes, recheck_s = (
        (frozenset([first.key]), 0, None)
        if first.current is not None
        else drain(candidates(slots.values()), need, free, now_s)
    )
    beside = next((slot for slot in others if (slot.bytes or 0) <= min(free, spare_bytes)), None)
    return LoadPlan(beside, (), draining, None if beside is not None else recheck_s)


def candidates(slots: Collection[Slot], *, without: Slot | None = None) -> Iterator[EvictionCandidate]:
    """The models in memory, as `workers.models.pool.eviction` sees them."""
    for slot in slots:
        current = slot.current
        if current is not None and slot is not without:
            stays_until_s = current.loaded_at_s + MIN_STAY_LOAD_TIMES * current.load_s
            yield EvictionCandidate(slot.key, current.bytes, slot.busy, slot.last_used or 0.0, stays_until_s)


def _needed_since(slot: Slot) -> float:
    return slot.needed_since_s
