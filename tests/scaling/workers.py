"""Workers as a Deployment has them: so many as are asked for, each restarted when it dies."""

import asyncio
import time
from collections.abc import Callable

from tests.soak.keeper import Keeper


class Replicas:
    """Real worker processes. A scale-down ends the newest ones by SIGTERM and does not wait for them.

    Attributes:
        all: every worker that was ever started, with its log.
    """

    def __init__(self, make: Callable[[str], Keeper]) -> None:
        self.all: list[Keeper] = []
        self._make = make
        self._wanted: list[Keeper] = []
        self._ending: set[asyncio.Task[None]] = set()

    @property
    def wanted(self) -> list[Keeper]:
        """Those that are to run."""
        return [*self._wanted]

    @property
    def running(self) -> int:
        """Worker processes that exist, those that end included."""
        return sum(one.pid is not None for one in self.all)

    def scale(self, count: int) -> None:
        """Starts or ends as many as are missing or too many."""
        while len(self._wanted) < count:
            keeper = self._make(f"worker-{len(self.all)}")
            self.all.append(keeper)
            self._wanted.append(keeper)
            keeper.start()
        while len(self._wanted) > count:
            self._ending.add(asyncio.create_task(self._wanted.pop().stop()))

    async def stop(self) -> None:
        """Ends all of them."""
        self.scale(0)
        await asyncio.gather(*self._ending)


def now_s() -> float:
    """Of one clock for decisions and the record."""
    return time.monotonic()
