"""Who goes when memory is short: properties of the plan."""

from hypothesis import given
from hypothesis import strategies as st

from workers.models.pool.eviction import EvictionCandidate, drain, victims

CANDIDATES = st.lists(
    st.builds(
        EvictionCandidate,
        key=st.uuids().map(str),
        bytes=st.integers(1, 100),
        busy=st.booleans(),
        last_used=st.floats(0, 1000),
        stays_until_s=st.floats(0, 1000),
    ),
    max_size=8,
)


@given(CANDIDATES, st.integers(0, 500), st.integers(-50, 200))
def test_victims_are_idle_and_none_goes_in_vain(candidates: list[EvictionCandidate], need: int, free: int) -> None:
    chosen = victims(candidates, need, free)
    idle = [candidate for candidate in candidates if not candidate.busy]
    if chosen is None:
        assert free + sum(candidate.bytes for candidate in idle) < need
        return
    gone = [candidate for candidate in candidates if candidate.key in chosen]
    freed = free + sum(candidate.bytes for candidate in gone)
    assert not any(candidate.busy for candidate in gone)
    assert freed >= need
    assert all(freed - candidate.bytes < need for candidate in gone)
    if gone:
        latest = max(candidate.last_used for candidate in gone)
        earlier = sum(candidate.bytes for candidate in idle if candidate.last_used < latest)
        assert free + earlier < need, "those used before it would have been enough"


@given(CANDIDATES, st.integers(1, 500), st.integers(-50, 200), st.floats(0, 2000))
def test_draining_makes_room_in_the_end(candidates: list[EvictionCandidate], need: int, free: int, now: float) -> None:
    plan = drain(candidates, need, free, now)
    gone = sum(candidate.bytes for candidate in candidates if candidate.key in plan.keys)
    assert all(not p.busy or p.stays_until_s <= now for p in candidates if p.key in plan.keys)
    if free + gone >= need:
        assert plan.spare_bytes == free + gone - need
    else:  # then those left are within their time, or there is not enough in all
        left = [candidate for candidate in candidates if candidate.key not in plan.keys]
        assert all(candidate.busy and candidate.stays_until_s > now for candidate in left)
        assert plan.spare_bytes == 0
        assert (plan.recheck_s is None) == (not left)
