"""Waiting on behalf of a client that may leave."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from fastapi import Request

T = TypeVar("T")


async def unless_disconnected(request: Request, work: Awaitable[T]) -> T | None:
    """The result of `work`, or None, with `work` cancelled, when the client leaves first. The body must be read."""
    waiting = asyncio.current_task()
    has_left = False

    async def leave() -> None:
        nonlocal has_left
        while (await request.receive())["type"] != "http.disconnect":
            pass
        has_left = True
        if waiting is not None:
            waiting.cancel()

    leaving = asyncio.create_task(leave())
    try:
        return await work
    except asyncio.CancelledError:
        if has_left and waiting is not None and waiting.uncancel() == 0:
            return None
        raise
    finally:
        leaving.cancel()
