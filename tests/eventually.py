"""Waits for what another process does, and of which no event tells this one."""

import asyncio
from collections.abc import Awaitable, Callable

POLL_S = 0.1


async def until(
    what: str, wanted: Callable[[], Awaitable[bool]], limit_s: float = 600.0, poll_s: float = POLL_S
) -> None:
    """Returns when the condition holds. Raises `AssertionError`, which says `what`, after a time that tells a hang."""
    try:
        async with asyncio.timeout(limit_s):
            while not await wanted():  # noqa: ASYNC110
                await asyncio.sleep(poll_s)
    except TimeoutError:
        raise AssertionError(what) from None
