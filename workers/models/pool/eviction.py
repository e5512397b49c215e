"""Who goes when memory is short. Pure.

The model that was used least recently goes first, and none that a job runs on. Where only busy models are in the way,
those that have been here longest take no new jobs until they are idle: so whoever waits gets its turn. A model keeps
its place for a few times as long as loading it took, which bounds what swapping may cost.
"""

from collections.abc import Iterable
from typing import NamedTuple

STAY = 4.0  # times its loading time


class Place(NamedTuple):
    """A model in memory."""

    key: str
    bytes: int
    busy: bool
    last_used: float  # any clock
    stays_until: float  # by the monotonic clock; asked to leave only then


class Drain(NamedTuple):
    """Models that should take no more jobs, what will be left over once they are gone, and when to look again."""

    keys: frozenset[str]
    spare: int
    look_again_s: float | None


def victims(places: Iterable[Place], need: int, free: int) -> list[str] | None:
    """The idle models to evict so that `need` bytes fit, none of them in vain; None when all are not enough."""
    chosen: list[Place] = []
    for place in sorted((p for p in places if not p.busy), key=lambda p: p.last_used):
        if need <= free:
            break
        chosen.append(place)
        free += place.bytes
    for place in reversed(chosen[:-1]):  # small ones that the last of them made needless may stay
        if free - place.bytes >= need:
            chosen.remove(place)
            free -= place.bytes
    return [place.key for place in chosen] if need <= free else None


def drain(places: Iterable[Place], need: int, free: int, now: float) -> Drain:
    """The models to drain so that `need` bytes will fit, the idle ones among them included."""
    chosen: set[str] = set()
    soonest = None
    for place in sorted(places, key=lambda p: (p.busy, p.stays_until)):
        if need <= free:
            break
        if place.busy and place.stays_until > now:
            soonest = place.stays_until if soonest is None else min(soonest, place.stays_until)
            continue
        chosen.add(place.key)
        free += place.bytes
    return Drain(frozenset(chosen), max(0, free - need), None if soonest is None else soonest - now)
