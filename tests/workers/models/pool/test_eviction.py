"""Who goes when memory is short: properties of the plan."""

from hypothesis import given
from hypothesis import strategies as st

from workers.models.pool.eviction import Place, drain, victims

PLACES = st.lists(
    st.builds(
        Place,
        key=st.uuids().map(str),
        bytes=st.integers(1, 100),
        busy=st.booleans(),
        last_used=st.floats(0, 1000),
        stays_until=st.floats(0, 1000),
    ),
    max_size=8,
)


@given(PLACES, st.integers(0, 500), st.integers(-50, 200))
def test_victims_are_idle_enough_and_none_goes_in_vain(places: list[Place], need: int, free: int) -> None:
    chosen = victims(places, need, free)
    idle = [place for place in places if not place.busy]
    if chosen is None:
        assert free + sum(place.bytes for place in idle) < need
        return
    gone = [place for place in places if place.key in chosen]
    freed = free + sum(place.bytes for place in gone)
    assert not any(place.busy for place in gone)
    assert freed >= need
    assert all(freed - place.bytes < need for place in gone)
    if gone:
        latest = max(place.last_used for place in gone)
        earlier = sum(place.bytes for place in idle if place.last_used < latest)
        assert free + earlier < need, "those used before it would have been enough"


@given(PLACES, st.integers(1, 500), st.integers(-50, 200), st.floats(0, 2000))
def test_draining_makes_room_in_the_end(places: list[Place], need: int, free: int, now: float) -> None:
    plan = drain(places, need, free, now)
    gone = sum(place.bytes for place in places if place.key in plan.keys)
    assert all(not p.busy or p.stays_until <= now for p in places if p.key in plan.keys)
    if free + gone >= need:
        assert plan.spare == free + gone - need
    else:  # then those left are within their time, or there is not enough in all
        left = [place for place in places if place.key not in plan.keys]
        assert all(place.busy and place.stays_until > now for place in left)
        assert plan.spare == 0
        assert (plan.look_again_s is None) == (not left)
