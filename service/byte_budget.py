"""Bounds the memory that requests take at the same time, by bytes that each reserves beforehand."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from schemas.errors import Unavailable
from schemas.sentences import Sentence
from service.tuning import BUDGET_RETRY_S, BUDGET_WAIT_S, BUDGET_WAITERS, LONE_SHARE, OVERTAKEN_S


@dataclass(eq=False, slots=True)
class _Waiter:
    count: int
    first_since: float | None = None  # since when it is the first one that does not fit
    admitted: asyncio.Event = field(default_factory=asyncio.Event)


class ByteBudget:
    """Bytes that requests of one event loop share. Waiters are served in order.

    While the first waiter needs more than is free, others that fit go ahead of it, so that small work passes large
    work; but no more once it has been the first for `overtaken_s`. At most `waiters` wait; who comes then is refused at
    once, unless its bytes are free. Work that takes more than the limit is done alone, up to `largest` bytes.
    """

    def __init__(
        self,
        limit: int,
        wait_s: float = BUDGET_WAIT_S,
        overtaken_s: float = OVERTAKEN_S,
        waiters: int = BUDGET_WAITERS,
    ) -> None:
        self.limit = limit
        self.largest = int(limit * LONE_SHARE)
        self.wait_s = wait_s
        self.overtaken_s = overtaken_s
        self.waiters = waiters
        self._reserved = 0
        self._waiters: list[_Waiter] = []

    @property
    def reserved(self) -> int:
        """Bytes that are reserved now."""
        return self._reserved

    @property
    def waiting(self) -> int:
        """Requests that wait now."""
        return len(self._waiters)

    @asynccontextmanager
    async def reserve(self, count: int) -> AsyncIterator[None]:
        """Hold `count` bytes for the block; wait for them if need be.

        Raises:
            Unavailable: they did not become free within the wait, or never can; or too many wait already.
        """
        if count > self.largest:
            raise Unavailable(
                Sentence(
                    "the work takes {count} bytes of memory; at most {most} are allowed",
                    count=count,
                    most=self.largest,
                )
            )
        taken = min(count, self.limit)  # the whole limit: then nothing else is held
        await self._acquire(taken)
        try:
            yield
        finally:
            self._reserved -= taken
            self._admit()

    async def _acquire(self, count: int) -> None:
        waiter = _Waiter(count)
        self._waiters.append(waiter)
        self._admit()
        if len(self._waiters) > self.waiters and not waiter.admitted.is_set():
            self._withdraw(waiter)
            raise _in_use()
        try:
            async with asyncio.timeout(self.wait_s):
                await waiter.admitted.wait()
        except TimeoutError:
            if not waiter.admitted.is_set():
                self._withdraw(waiter)
                raise _in_use() from None
        except asyncio.CancelledError:
            self._withdraw(waiter)
            raise

    def _withdraw(self, waiter: _Waiter) -> None:
        """Take back what a request waits for, or has been given and will not use."""
        if waiter.admitted.is_set():
            self._reserved -= waiter.count
        else:
            self._waiters.remove(waiter)
        self._admit()

    def _admit(self) -> None:
        """Admit the waiters that fit."""
        first: _Waiter | None = None
        for waiter in list(self._waiters):
            if waiter.count <= self.limit - self._reserved:
                self._waiters.remove(waiter)
                self._reserved += waiter.count
                waiter.admitted.set()
            elif first is None:
                first = waiter
                now = time.monotonic()
                first.first_since = now if first.first_since is None else first.first_since
                if now - first.first_since >= self.overtaken_s:
                    return


def _in_use() -> Unavailable:
    return Unavailable(
        "The memory for pictures is in use by other requests; send the request again later.",
        retry_after_s=BUDGET_RETRY_S,
    )
