"""Pages of the jobs of several stores: newest first, without gaps or repeats. Pure."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from broker.records import JobRecord, ListedJob
from schemas.errors import InvalidRequest

CURSOR = re.compile(r"([0-9]{1,16})-([0-9]{1,2})")


class Position(NamedTuple):
    """A place in the merged order: by time from new to old, and jobs of one microsecond by their store.

    Attributes:
        at_us: microseconds since the epoch.
        store: the number of a store.
    """

    at_us: int
    store: int

    def __str__(self) -> str:
        return f"{self.at_us}-{self.store}"

    @property
    def order(self) -> tuple[int, int]:
        """Smaller comes first."""
        return (-self.at_us, self.store)

    def cursor_of(self, store: int) -> str:
        """The cursor with which this store goes on after the position: its jobs that are older, and of the same
        microsecond if the store comes later."""
        return str(self.at_us + 1 if store > self.store else self.at_us)


class StorePage(NamedTuple):
    """The page of one store, and the time of the last record that it has looked at if there are more."""

    jobs: Sequence[ListedJob]
    following: str | None


def parsed_cursor(cursor: str | None) -> Position | None:
    """The position after which a page begins. Raises `InvalidRequest` for a malformed cursor."""
    if cursor is None:
        return None
    match = CURSOR.fullmatch(cursor)
    if match is None:
        raise InvalidRequest.at(["cursor"], "is not the `next` of a page")
    return Position(int(match[1]), int(match[2]))


def merged_page(pages: Sequence[StorePage], limit: int) -> tuple[list[JobRecord], str | None]:
    """The first `limit` jobs of all stores, and the cursor of the next page; None after the last.

    A store may have more jobs right behind the last one that it has looked at. So the page ends there, and may hold
    fewer jobs than `limit`.
    """
    found = [(Position(job.at_us, store), job.record) for store, page in enumerate(pages) for job in page.jobs]
    found.sort(key=lambda one: one[0].order)
    ends = [Position(int(page.following), store) for store, page in enumerate(pages) if page.following is not None]
    end = min(ends, key=lambda one: one.order, default=None)
    seen = [one for one in found if end is None or one[0].order <= end.order]
    shown = seen[:limit]
    if len(seen) > limit:
        return [record for _, record in shown], str(shown[-1][0])
    if end is not None:
        return [record for _, record in shown], str(end)
    return [record for _, record in shown], None
