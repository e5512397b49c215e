"""What is done to the processes while they work."""

import asyncio
import contextlib
import random
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import redis

from tests.soak.cluster import Cluster
from tests.soak.keeper import Keeper

GAP_S = (0.5, 2.5)  # between two disturbances
STOPPED_S = (2.0, 8.0)  # that a process stands still; leases are shorter


@dataclass(frozen=True)
class Disturbance:
    """One disturbance as it happened. `at_s` is `time.time()`."""

    kind: str
    name: str
    at_s: float
    lasted_s: float


class Chaos:
    """Disturbs a cluster, one process at a time, in an order drawn from the seed, until told to stop."""

    def __init__(self, cluster: Cluster, seed: int, count: int) -> None:
        self.done: list[Disturbance] = []
        self._cluster = cluster
        self._chance = random.Random(f"chaos {seed}")
        self._count = count

    async def run(self, over: asyncio.Event) -> None:
        """Disturbs until `count` disturbances are done or `over` is set."""
        kinds = self._kinds()
        order: list[str] = []
        for _ in range(self._count):
            if not order:  # each kind once before any comes again
                order = self._chance.sample(sorted(kinds), len(kinds))
            kind = order.pop()
            if await _set_within(over, self._chance.uniform(*GAP_S)):
                return
            began_s = time.time()
            name = await kinds[kind]()
            self.done.append(Disturbance(kind, name, began_s, time.time() - began_s))

    def _kinds(self) -> dict[str, Callable[[], Awaitable[str]]]:
        cluster = self._cluster
        return {
            "kill worker": lambda: self._signal(cluster.workers, signal.SIGKILL),
            "stop worker": lambda: self._stand_still(cluster.workers),
            "end worker": lambda: self._signal(cluster.workers, signal.SIGTERM),
            "kill gateway": lambda: self._signal(cluster.gateways, signal.SIGKILL),
            "stop gateway": lambda: self._stand_still(cluster.gateways),
            "end gateway": lambda: self._signal(cluster.gateways, signal.SIGTERM),
            "kill store": lambda: self._signal([cluster.store], signal.SIGKILL),
            "stop store": lambda: self._stand_still([cluster.store]),
            "pause store": self._pause_store,
        }

    async def _signal(self, keepers: list[Keeper], number: signal.Signals) -> str:
        keeper = self._chance.choice(keepers)
        keeper.send(number)
        return keeper.name

    async def _stand_still(self, keepers: list[Keeper]) -> str:
        keeper = self._chance.choice(keepers)
        keeper.send(signal.SIGSTOP)
        try:
            await asyncio.sleep(self._chance.uniform(*STOPPED_S))
        finally:
            keeper.send(signal.SIGCONT)
        return keeper.name

    async def _pause_store(self) -> str:
        """The store accepts connections and commands, and answers none of them."""
        pause_s = self._chance.uniform(*STOPPED_S)
        with contextlib.suppress(redis.RedisError):
            async with self._cluster.raw_store() as client:
                await client.execute_command("CLIENT", "PAUSE", int(1000 * pause_s), "ALL")
        await asyncio.sleep(pause_s)
        return self._cluster.store.name


async def _set_within(event: asyncio.Event, timeout_s: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), timeout_s)
    except TimeoutError:
        return False
    return True
