"""Waits of clients for the end of a job, which end early when the gateway is told to stop."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Waits:
    """The waits of one gateway process, for one event loop."""

    def __init__(self) -> None:
        self._is_stopping = False
        self._waiting: set[asyncio.Task[Any]] = set()

    def stop(self) -> None:
        """Ends all waits now, and those that would begin later."""
        self._is_stopping = True
        for task in self._waiting:
            task.cancel()

    async def until_stop(self, work: Callable[[], Awaitable[T]], instead: T) -> T:
        """The result of `work()`, or `instead` when the gateway is told to stop first; the work is then cancelled.

        Raises:
            Whatever the work raises.
        """
        task = asyncio.current_task()
        if self._is_stopping or task is None:
            return instead
        self._waiting.add(task)
        try:
            return await work()
        except asyncio.CancelledError:
            if self._is_stopping and task.uncancel() == 0:
                return instead
            raise  # the client has left, or the server's patience has ended
        finally:
            self._waiting.discard(task)
