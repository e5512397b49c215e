"""Waiting for a job on behalf of a client that may lose patience, or leave."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any, TypeVar

from fastapi import Request

from broker import JobRecord

T = TypeVar("T")


async def last_within(changes: AsyncIterator[JobRecord], wait_s: float) -> JobRecord:
    """The last record of a watch, terminal or as it stands after `wait_s` seconds.

    Raises:
        StoreUnavailable: Redis is away.
        JobNotFound: the job is gone.
    """
    latest = await anext(changes)
    try:
        async with asyncio.timeout(wait_s):
            async for record in changes:
                latest = record
    except TimeoutError:
        pass
    return latest


async def unless_disconnected(request: Request, work: Coroutine[Any, Any, T]) -> T | None:
    """The result of `work`, or None, with `work` cancelled, when the client leaves first. The body must be read."""
    working = asyncio.create_task(work)
    leaving = asyncio.create_task(_disconnected(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        for task in (working, leaving):
            task.cancel()
        await asyncio.wait({working, leaving})


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
