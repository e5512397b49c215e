"""Keeps the processes of one machine running, and stops them in order."""

import asyncio
import signal
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from cli.processes.child import Child, ChildCommand

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SECOND_STOP = signal.SIGTERM  # for children whose own second signal means something

T = TypeVar("T")


class StopRequested(Exception):
    """A stop was requested."""


class Supervisor:
    """Runs children in tiers. The last tier stops first; the children of one tier stop together.

    An asynchronous context manager: leaving it stops everything, whatever the reason. Inside it the first SIGINT,
    SIGTERM or SIGHUP asks for an orderly stop. The second sends `second_stop` to all children.
    """

    def __init__(self, second_stop: signal.Signals = signal.SIGKILL) -> None:
        self._second_stop = second_stop
        self.stopped = asyncio.Event()  # set when a stop is requested
        self._tiers: list[list[Child]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._signals: list[signal.Signals] = []

    @property
    def children(self) -> list[Child]:
        return [child for tier in self._tiers for child in tier]

    def start(self, *programs: ChildCommand) -> None:
        """Starts one more tier."""
        tier = [Child(program) for program in programs]
        self._tiers.append(tier)
        for child in tier:
            self._tasks.append(child.start())

    def settle(self) -> None:
        """Marks the service as up: from now on, a child that dies is restarted without limit."""
        for child in self.children:
            child.settle()

    async def wait(self) -> None:
        """Returns when a stop is requested.

        Raises:
            ChildFailed: a child died too often before the service was up.
        """
        requested = asyncio.create_task(self.stopped.wait())
        try:
            done, _ = await asyncio.wait([requested, *self._tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            requested.cancel()
        for task in done:
            task.result()  # raises the error that ended it

    async def during(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of `work`, unless a stop is requested first.

        Raises:
            Stopped: a stop was requested before the work was done.
            ChildFailed: a child died too often before the work was done.
            Whatever the work raises.
        """
        working, ended = asyncio.create_task(work), asyncio.create_task(self.wait())
        try:
            await asyncio.wait([working, ended], return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
            ended.result()
            raise StopRequested
        finally:
            working.cancel()
            ended.cancel()

    def _interrupted(self) -> None:
        if self.stopped.is_set():
            for child in self.children:
                child.signal(self._second_stop)
        self.stopped.set()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._signals = [number for number in STOP_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]  # nohup
        for number in self._signals:
            loop.add_signal_handler(number, self._interrupted)
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.stopped.set()
        for tier in reversed(self._tiers):
            await asyncio.gather(*(child.stop() for child in tier))
        loop = asyncio.get_running_loop()
        for number in self._signals:
            loop.remove_signal_handler(number)
