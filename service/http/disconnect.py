"""Work that is cancelled when its client disconnects."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from fastapi import Request

T = TypeVar("T")


async def unless_disconnected(request: Request, work: Awaitable[T]) -> T | None:
    """Await `work`, and cancel it when the client disconnects.

    The request's body must have been read.

    Returns:
        The result of `work`, or None if the client disconnected first.
    """
    waiting = asyncio.current_task()
    has_left = False

    async def cancel_on_disconnect() -> None:
        nonlocal has_left
        while (await request.receive())["type"] != "http.disconnect":
            pass
        has_left = True
        if waiting is not None:
            waiting.cancel()

    listener = asyncio.create_task(cancel_on_disconnect())
    try:
        return await work
    except asyncio.CancelledError:
        if has_left and waiting is not None and waiting.uncancel() == 0:
            return None
        raise
    finally:
        listener.cancel()
