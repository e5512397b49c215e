"""Changes of jobs as they happen: one pub/sub connection per process, shared by all its watches."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic

import structlog
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from broker.gateway.async_connection import AsyncConnection
from broker.gateway.subscription import Subscription
from broker.job_hash import ended_job, job_from_message
from broker.keys import new_inbox
from broker.tuning import FIRST_GATEWAY_PAUSE_S, MAX_GATEWAY_PAUSE_S

log = structlog.get_logger(__name__)


@dataclass
class _Channel:
    job_id: str
    joined: bool = False
    subscriptions: set[Subscription] = field(default_factory=set)


class JobEvents:
    """Passes each message to the watches of its job, and renews the connection while there are any.

    A job that is watched has a channel of its own. All who wait for the end of a job that they have submitted share the
    inbox of this process, which takes no round trip to open.

    Args:
        store: the connection to Redis.
        on_death: called when reading ends by an error that is no failure of Redis: nothing reaches a watch any more.
    """

    def __init__(self, store: AsyncConnection, on_death: Callable[[], None]) -> None:
        self._store = store
        self._on_death = on_death
        self._keys = store.keys
        self._timeout_s = store.timeout_s
        self.inbox = new_inbox()
        self._inbox_channel = self._keys.inbox(self.inbox).encode()
        self._inbox_joined = False
        self._endings: dict[str, Subscription] = {}  # by job
        self._channels: dict[bytes, _Channel] = {}
        self._connection: AbstractConnection | None = None
        self._task: asyncio.Task[None] | None = None
        self._received_at = monotonic()  # when Redis last sent anything

    @asynccontextmanager
    async def subscribe(self, job_id: str) -> AsyncIterator[Subscription]:
        """Changes published after entering reach the subscription. Raises `StoreUnavailable`."""
        name = self._keys.events(job_id).encode()
        channel = self._channels.setdefault(name, _Channel(job_id))
        subscription = Subscription()
        channel.subscriptions.add(subscription)
        try:
            async with self._store.guard():
                await self._join(name, channel, subscription)
            yield subscription
        finally:
            channel.subscriptions.discard(subscription)
            if not channel.subscriptions and self._channels.get(name) is channel:
                del self._channels[name]
                await self._send("UNSUBSCRIBE", name)

    @asynccontextmanager
    async def ending(self, job_id: str) -> AsyncIterator[Subscription]:
        """The end of a job that is submitted after entering, with `inbox`, reaches the subscription.

        Raises `StoreUnavailable`.
        """
        subscription = self._endings[job_id] = Subscription()
        try:
            if self._inbox_joined:
                subscription.confirm()
            else:
                self._start_reading()
                async with self._store.guard():
                    await subscription.joined
            yield subscription
        finally:
            del self._endings[job_id]

    async def close(self) -> None:
        """Closes the connection and fails every subscription."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for subscription in self._subscriptions():
            subscription.fail()

    async def _join(self, name: bytes, channel: _Channel, subscription: Subscription) -> None:
        if channel.joined:
            subscription.confirm()
            return
        self._start_reading()
        await self._send("SUBSCRIBE", name)
        await subscription.joined

    def _start_reading(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="job-events")
            self._task.add_done_callback(self._on_end)

    def _on_end(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.critical("job_events_died", error=type(error).__name__)
            for subscription in self._subscriptions():
                subscription.fail()
            self._on_death()

    async def _send(self, *command: str | bytes) -> None:
        """Sends, and ignores failures: the connection is then lost, and the next one subscribes to every channel."""
        if self._connection is not None:
            with suppress(RedisError, OSError):
                await self._connection.send_command(*command, check_health=False)

    async def _run(self) -> None:
        pause_s = FIRST_GATEWAY_PAUSE_S
        while self._channels or self._endings:
            started = monotonic()
            try:
                await self._read_until_lost()
            except (RedisError, OSError) as error:
                log.warning("job_events_lost", error=type(error).__name__)
            if self._received_at > started:
                pause_s = FIRST_GATEWAY_PAUSE_S
            self._on_lost()
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, MAX_GATEWAY_PAUSE_S)

    def _on_lost(self) -> None:
        """Fails new subscriptions at once, and the others when the outage has lasted `timeout_s`."""
        is_over = monotonic() - self._received_at > self._timeout_s
        self._inbox_joined = False
        for channel in self._channels.values():
            channel.joined = False
        for subscription in self._subscriptions():
            if is_over or not subscription.joined.done():
                subscription.fail()

    def _subscriptions(self) -> list[Subscription]:
        watches = [one for channel in self._channels.values() for one in channel.subscriptions]
        return [*watches, *self._endings.values()]

    async def _read_until_lost(self) -> None:
        """Reads until the connection breaks, or stays silent for `timeout_s` despite a PING. Always raises."""
        connection: AbstractConnection = self._store.client.connection_pool.make_connection()  # type: ignore[no-untyped-call]
        reading: asyncio.Task[list[bytes]] | None = None
        try:
            async with asyncio.timeout(self._timeout_s):
                await connection.connect()  # type: ignore[no-untyped-call]
            self._connection = connection
            await connection.send_command("SUBSCRIBE", self._inbox_channel, *self._channels, check_health=False)
            is_pinged = False
            while True:
                reading = reading or asyncio.create_task(connection.read_response(timeout=math.inf))
                done, _ = await asyncio.wait({reading}, timeout=self._timeout_s / 2)
                if done:
                    self._receive(reading.result())
                    reading, is_pinged = None, False
                elif is_pinged:
                    raise RedisConnectionError("no reply to PING")
                else:
                    await connection.send_command("PING", check_health=False)
                    is_pinged = True
        finally:
            self._connection = None
            if reading is not None:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
            await connection.disconnect(nowait=True)

    def _receive(self, reply: list[bytes]) -> None:
        self._received_at = monotonic()
        if reply[1] == self._inbox_channel:
            self._receive_in_inbox(reply)
            return
        channel = self._channels.get(reply[1])
        if channel is None:  # a reply to PING, or a channel that was left meanwhile
            return
        if reply[0] == b"subscribe":
            channel.joined = True
            for subscription in channel.subscriptions:
                subscription.confirm()
        elif reply[0] == b"message":
            try:
                snapshot = job_from_message(channel.job_id, reply[2])
            except Exception:  # whoever wrote it may have written anything
                self._unreadable(channel.job_id, channel.subscriptions)
                return
            for subscription in channel.subscriptions:
                subscription.put(snapshot)

    def _receive_in_inbox(self, reply: list[bytes]) -> None:
        if reply[0] == b"subscribe":
            self._inbox_joined = True
            for subscription in self._endings.values():
                subscription.confirm()
        elif reply[0] == b"message":
            try:
                job_id, snapshot = ended_job(reply[2])
            except Exception:  # whoever wrote it may have written anything
                job_id = reply[2].partition(b" ")[0].decode(errors="replace")
                self._unreadable(job_id, {one for one in [self._endings.get(job_id)] if one is not None})
                return
            if job_id in self._endings:
                self._endings[job_id].put(snapshot)

    @staticmethod
    def _unreadable(job_id: str, subscriptions: set[Subscription]) -> None:
        """A message that another version of the service wrote, or nobody: its readers read the job itself."""
        log.error("job_event_unreadable", job=job_id)
        for subscription in subscriptions:
            subscription.confirm()
