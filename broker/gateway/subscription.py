"""Changes of one job that have not been read yet."""

import asyncio
from collections import deque

from broker.records import Snapshot
from broker.store_errors import no_answer
from schemas.errors import StoreUnavailable


class Subscription:
    """What one watch of a job has yet to read: changes, the need to read the job anew, or the failure of the store.

    `joined` ends when Redis has accepted the subscription, or with `StoreUnavailable`.
    """

    def __init__(self) -> None:
        self.joined: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._unread: deque[Snapshot] = deque()
        self._is_stale = False
        self._error: StoreUnavailable | None = None
        self._readable = asyncio.Event()

    async def next(self) -> Snapshot | None:
        """The next change; None when some may have been missed. Raises `StoreUnavailable` after a long outage."""
        await self._readable.wait()
        if self._unread:
            snapshot = self._unread.popleft()
            self._update()
            return snapshot
        if self._error is not None:
            raise self._error
        self._is_stale = False
        self._update()
        return None

    def put(self, snapshot: Snapshot) -> None:
        """Adds a change. It replaces an unread one of the same status, which bounds what a slow reader leaves here."""
        if self._unread and self._unread[-1].record.status == snapshot.record.status:
            self._unread.pop()
        self._unread.append(snapshot)
        self._update()

    def confirm(self) -> None:
        """Redis has accepted the subscription; where it had done so before, changes may have been missed."""
        if self.joined.done():
            self._is_stale = True
            self._update()
        else:
            self.joined.set_result(None)

    def fail(self) -> None:
        """The store is away: the reader gets `StoreUnavailable`."""
        if self.joined.done():
            self._error = no_answer()
            self._update()
        else:
            self.joined.set_exception(no_answer())

    def _update(self) -> None:
        if self._unread or self._is_stale or self._error is not None:
            self._readable.set()
        else:
            self._readable.clear()
