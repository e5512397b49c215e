"""Explains many inputs, a few at a time and in their order: by threads, or by tasks of an event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Literal, TypeVar

from attribution_client.errors import AttributionError

T = TypeVar("T")
OnError = Literal["raise", "return"]
AHEAD = 2  # inputs taken for each that may run: finished ones wait behind a slow one, and none is idle for that


def map_in_threads(
    explain: Callable[[Any], T], inputs: Iterator[Any], concurrency: int, on_error: OnError
) -> Iterator[T | AttributionError]:
    """The result of each input, in order.

    At most `concurrency` run at once, and few are taken from `inputs` before their results are wanted. When the caller
    stops early, no further one begins.
    """
    pool = ThreadPoolExecutor(concurrency, thread_name_prefix="attribution-map")
    waiting: deque[Future[T]] = deque()
    try:
        for given in inputs:
            waiting.append(pool.submit(explain, given))
            if len(waiting) >= AHEAD * concurrency:
                yield _outcome(waiting.popleft().result, on_error)
        while waiting:
            yield _outcome(waiting.popleft().result, on_error)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _outcome(result: Callable[[], T], on_error: OnError) -> T | AttributionError:
    try:
        return result()
    except AttributionError as error:
        if on_error == "raise":
            raise
        return error


async def map_on_loop(
    explain: Callable[[Any], Awaitable[T]], inputs: Iterator[Any], concurrency: int, on_error: OnError
) -> AsyncIterator[T | AttributionError]:
    """As `map_in_threads`; when the caller stops early, those that run are cancelled."""
    room = asyncio.Semaphore(concurrency)
    waiting: deque[asyncio.Task[T]] = deque()

    async def one(given: Any) -> T:
        async with room:
            return await explain(given)

    async def outcome(task: asyncio.Task[T]) -> T | AttributionError:
        try:
            return await task
        except AttributionError as error:
            if on_error == "raise":
                raise
            return error

    try:
        for given in inputs:
            waiting.append(asyncio.create_task(one(given)))
            if len(waiting) >= AHEAD * concurrency:
                yield await outcome(waiting.popleft())
        while waiting:
            yield await outcome(waiting.popleft())
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
