"""Bounds the memory of all request bodies together, by the bytes that have arrived."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import Message, Receive

from schemas.errors import Unavailable
from service.tuning import BUDGET_RETRY_S


class Body:
    """What one request has sent of its body."""

    def __init__(self) -> None:
        self.held = 0  # bytes
        self.is_displaced = False
        self._waiting: asyncio.Task[object] | None = None

    async def receive(self, receive: Receive) -> Message:
        """The next message.

        Raises:
            Unavailable: newer bodies have taken the memory.
        """
        if self.is_displaced:
            raise full()
        task = self._waiting = asyncio.current_task()
        try:
            return await receive()
        except asyncio.CancelledError:
            if self.is_displaced and task is not None and task.uncancel() == 0:
                raise full() from None
            raise
        finally:
            self._waiting = None
            # A task that was cancelled keeps this frame, which would keep the task and with it the request: until the
            # garbage collector comes by.
            del task

    def displace(self) -> None:
        """Give the memory up. The request, which waits for more of its body, is refused."""
        self.held = 0
        self.is_displaced = True
        if self._waiting is not None:
            self._waiting.cancel()


class Bodies:
    """The bodies of one event loop. A body is held until its request ends.

    When the memory is full, the body that has been arriving for longest gives way: clients who send most of a body and
    wait would else keep all others out.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._held = 0
        self._arriving: dict[Body, None] = {}  # the oldest first

    @property
    def held(self) -> int:
        """Bytes that are held now."""
        return self._held

    @contextmanager
    def hold(self) -> Iterator[Body]:
        """One more body, for the block."""
        body = Body()
        try:
            yield body
        finally:
            self._arriving.pop(body, None)
            self._held -= body.held
            body.held = 0

    def grow(self, body: Body, count: int, *, is_complete: bool) -> None:
        """Hold `count` more bytes of a body.

        Raises:
            Unavailable: other bodies take the memory, all of them newer or complete.
        """
        while count > self.limit - self._held:
            oldest = next(iter(self._arriving), body)
            if oldest is body:
                raise full()
            del self._arriving[oldest]
            self._held -= oldest.held
            oldest.displace()
        self._held += count
        body.held += count
        if is_complete:
            self._arriving.pop(body, None)
        elif body.held:
            self._arriving.setdefault(body)


def full() -> Unavailable:
    """The error of a request for whose body there is no memory."""
    return Unavailable(
        "The memory for request bodies is in use by other requests; send the request again later.",
        retry_after_s=BUDGET_RETRY_S,
    )
