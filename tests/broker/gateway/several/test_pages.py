"""Merged pages: every job once, newest first, whatever the stores' pages look like."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.gateway.several.pages import StorePage, merged_page, parsed_cursor
from broker.records import JobRecord, ListedJob
from schemas.errors import InvalidRequest
from tests.broker.helpers import spec

# For each store the times of its jobs, from few so that those of stores collide; a store's own are unique.
STORES = st.lists(st.sets(st.integers(1, 30), max_size=20), min_size=1, max_size=4)


def record(store: int, at_us: int) -> JobRecord:
    return JobRecord(id=f"{store}/{at_us}", spec=spec(), status="queued", done=0, total=1, created_ms=at_us, attempts=0)


def page_of(store: int, times: set[int], expired: set[int], cursor: str | None, limit: int, scanned: int) -> StorePage:
    """A page as the script `page` makes it: below the cursor, up to `limit` jobs of up to `scanned` records."""
    below = [at for at in sorted(times, reverse=True) if cursor is None or at < int(cursor)]
    jobs: list[ListedJob] = []
    for number, at in enumerate(below):
        if len(jobs) == limit or number == scanned:
            return StorePage(jobs, str(below[number - 1]))
        if at not in expired:
            jobs.append(ListedJob(at, record(store, at)))
    return StorePage(jobs, None)


@given(stores=STORES, limit=st.integers(1, 7), scanned=st.integers(1, 9), expired=st.sets(st.integers(1, 30)))
def test_pages_follow_one_another_without_gaps_or_repeats(
    stores: list[set[int]], limit: int, scanned: int, expired: set[int]
) -> None:
    shown: list[str] = []
    cursors: list[str | None] = [None]
    while True:
        after = parsed_cursor(cursors[-1])
        pages = [
            page_of(store, times, expired, None if after is None else after.cursor_of(store), limit, scanned)
            for store, times in enumerate(stores)
        ]
        jobs, following = merged_page(pages, limit)
        assert len(jobs) <= limit
        shown += [job.id for job in jobs]
        if following is None:
            break
        assert following not in cursors  # else a client would go round for ever
        cursors.append(following)
    every = [(at, store) for store, times in enumerate(stores) for at in times - expired]
    assert shown == [f"{store}/{at}" for at, store in sorted(every, key=lambda one: (-one[0], one[1]))]
    positions = [parsed_cursor(cursor) for cursor in cursors[1:]]
    for earlier, later in pairwise([one for one in positions if one is not None]):
        assert earlier.order < later.order


@pytest.mark.parametrize("cursor", ["", "1", "1-", "-1", "1-999", "x-1", "1" * 17 + "-0", "1-0 ", "1-0\n", "٣-0"])
def test_malformed_cursors_are_refused(cursor: str) -> None:
    with pytest.raises(InvalidRequest, match="cursor"):
        parsed_cursor(cursor)
