"""Which model is loaded next, and which leave for it."""

from pathlib import Path
from typing import Any

from schemas.models import ModelCard, ModelStatus
from workers.models.pool.load_plan import LoadPlan, plan_load
from workers.models.pool.slot import PooledModel, Slot

NOW_S = 1_000.0


def slot(key: str, status: ModelStatus = "idle", *, bytes: int = 100, **fields: Any) -> Slot:
    return Slot(key, Path(key), ModelCard(name=key, version="1", status=status), bytes=bytes, **fields)


def resident(key: str, *, bytes: int = 100, jobs: int = 0, load_s: float = 1.0, **fields: Any) -> Slot:
    model: Any = None
    current = PooledModel(model, bytes, "files", load_s=load_s, loaded_at_s=NOW_S - 100, jobs=jobs)
    return slot(key, "ready", bytes=bytes, current=current, **fields)


def plan(free: int, *slots: Slot) -> LoadPlan:
    return plan_load({one.key: one for one in slots}, free, NOW_S)


def test_nothing_is_needed() -> None:
    assert plan(0, resident("a"), slot("b")) == LoadPlan()


def test_the_slot_that_has_needed_a_load_longest_comes_first() -> None:
    late, early = slot("late", waiting=1, needed_since_s=2.0), slot("early", waiting=1, needed_since_s=1.0)
    assert plan(100, late, early).slot is early


def test_a_load_in_progress_is_not_planned_again() -> None:
    assert plan(100, slot("a", waiting=1, loading=True)).slot is None


def test_the_model_used_least_recently_is_evicted() -> None:
    old, new = resident("old", last_used=1.0), resident("new", last_used=2.0)
    wanted = slot("wanted", waiting=1)
    assert plan(0, new, old, wanted) == LoadPlan(wanted, (old,))
    assert plan(100, new, old, wanted) == LoadPlan(wanted)


def test_a_busy_model_is_drained_after_its_stay() -> None:
    wanted = slot("wanted", waiting=1)
    assert plan(0, resident("busy", jobs=1), wanted) == LoadPlan(draining=frozenset({"busy"}))
    staying = plan(0, resident("busy", jobs=1, load_s=30.0), wanted)  # 120 s, of which 100 have passed
    assert staying == LoadPlan(recheck_s=20.0)


def test_another_model_loads_only_where_it_does_not_delay_the_first() -> None:
    busy = resident("busy", bytes=100, jobs=1)
    first = slot("first", bytes=90, waiting=1, needed_since_s=1.0)
    small, large = (slot(f"of {n}", bytes=n, waiting=1, needed_since_s=2.0) for n in (20, 40))
    assert plan(20, busy, first, small) == LoadPlan(small, (), frozenset({"busy"}))
    assert plan(20, busy, first, large).slot is None


def test_a_replacement_that_fits_only_in_its_own_place() -> None:
    idle = resident("a", load_requested=True)
    assert plan(50, idle) == LoadPlan(idle, (idle,))
    busy = resident("a", jobs=1, load_requested=True)
    assert plan(50, busy) == LoadPlan(draining=frozenset({"a"}))
    assert plan(100, busy) == LoadPlan(busy)
