"""Changes of jobs as they happen: one pub/sub connection per process, shared by every watch in it."""

import asyncio
import math
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic

import structlog
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from broker.connection import RETRY_AFTER_S, StoreGuard
from broker.keys import Keys, new_inbox
from broker.records import Snapshot, ended_job, job_from_message
from schemas.errors import StoreUnavailable

log = structlog.get_logger(__name__)

FIRST_PAUSE_S = 0.02
LONGEST_PAUSE_S = 0.5


def _away() -> StoreUnavailable:
    return StoreUnavailable("the job store does not answer", retry_after_s=RETRY_AFTER_S)


class Subscription:
    """What one watch has yet to read: changes, "look again", or the end of hope."""

    def __init__(self) -> None:
        self.joined: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._unread: deque[Snapshot] = deque()
        self._stale = False
        self._error: StoreUnavailable | None = None
        self._news = asyncio.Event()

    async def next(self) -> Snapshot | None:
        """The next change; None when some may have been missed. Raises `StoreUnavailable` after a long outage."""
        await self._news.wait()
        if self._unread:
            snapshot = self._unread.popleft()
            self._note()
            return snapshot
        if self._error is not None:
            raise self._error
        self._stale = False
        self._note()
        return None

    def put(self, snapshot: Snapshot) -> None:
        """A change. It replaces an unread one of the same status, which bounds what a slow reader leaves here."""
        if self._unread and self._unread[-1].record.status == snapshot.record.status:
            self._unread.pop()
        self._unread.append(snapshot)
        self._note()

    def confirm(self) -> None:
        """Redis has accepted the subscription, again if it had before: then changes may have been missed."""
        if self.joined.done():
            self._stale = True
            self._note()
        else:
            self.joined.set_result(None)

    def fail(self) -> None:
        if self.joined.done():
            self._error = _away()
            self._note()
        else:
            self.joined.set_exception(_away())

    def _note(self) -> None:
        if self._unread or self._stale or self._error is not None:
            self._news.set()
        else:
            self._news.clear()


@dataclass
class _Channel:
    job_id: str
    joined: bool = False
    subscriptions: set[Subscription] = field(default_factory=set)


class JobEvents:
    """Hands each message to the watches of its job, and renews the connection while anybody watches.

    Whoever watches a job has a channel of its own for it. Whoever only waits for the end of a job that it has submitted
    shares one inbox with all others of this process, which takes no round trip to open.
    """

    def __init__(self, make_connection: Callable[[], AbstractConnection], keys: Keys, timeout_s: float) -> None:
        self._make_connection = make_connection
        self._keys = keys
        self._timeout_s = timeout_s
        self.inbox = new_inbox()
        self._inbox_channel = keys.inbox(self.inbox).encode()
        self._inbox_joined = False
        self._endings: dict[str, Subscription] = {}  # by job
        self._channels: dict[bytes, _Channel] = {}
        self._connection: AbstractConnection | None = None
        self._task: asyncio.Task[None] | None = None
        self._heard_at = monotonic()  # when Redis last said anything

    @asynccontextmanager
    async def subscribe(self, job_id: str) -> AsyncIterator[Subscription]:
        """Changes published after entering reach the subscription. Raises `StoreUnavailable`."""
        name = self._keys.events(job_id).encode()
        channel = self._channels.setdefault(name, _Channel(job_id))
        subscription = Subscription()
        channel.subscriptions.add(subscription)
        try:
            async with StoreGuard(self._timeout_s):
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
                self._ensure_running()
                async with StoreGuard(self._timeout_s):
                    await subscription.joined
            yield subscription
        finally:
            del self._endings[job_id]

    async def close(self) -> None:
        """Drop the connection and end every subscription."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        for subscription in self._subscriptions():
            subscription.fail()

    async def _join(self, name: bytes, channel: _Channel, subscription: Subscription) -> None:
        if channel.joined:
            subscription.confirm()
            return
        self._ensure_running()
        await self._send("SUBSCRIBE", name)
        await subscription.joined

    def _ensure_running(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="job-events")

    async def _send(self, *command: str | bytes) -> None:
        """Best effort: when it fails the connection is lost, and the next one subscribes to all there is."""
        if self._connection is not None:
            with suppress(RedisError, OSError):
                await self._connection.send_command(*command, check_health=False)

    async def _run(self) -> None:
        pause_s = FIRST_PAUSE_S
        while self._channels or self._endings:
            started = monotonic()
            try:
                await self._converse()
            except (RedisError, OSError) as error:
                log.warning("job_events_lost", error=type(error).__name__)
            if self._heard_at > started:
                pause_s = FIRST_PAUSE_S
            self._on_lost()
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _on_lost(self) -> None:
        """Whoever has just come is refused at once; whoever watches waits `timeout_s` for the next connection."""
        is_over = monotonic() - self._heard_at > self._timeout_s
        self._inbox_joined = False
        for channel in self._channels.values():
            channel.joined = False
        for subscription in self._subscriptions():
            if is_over or not subscription.joined.done():
                subscription.fail()

    def _subscriptions(self) -> list[Subscription]:
        watches = [one for channel in self._channels.values() for one in channel.subscriptions]
        return [*watches, *self._endings.values()]

    async def _converse(self) -> None:
        """Read until the connection breaks, or is silent for `timeout_s` although asked. Always raises."""
        connection = self._make_connection()
        reading: asyncio.Task[list[bytes]] | None = None
        try:
            async with asyncio.timeout(self._timeout_s):
                await connection.connect()  # type: ignore[no-untyped-call]
            self._connection = connection
            await connection.send_command("SUBSCRIBE", self._inbox_channel, *self._channels, check_health=False)
            asked = False
            while True:
                reading = reading or asyncio.create_task(connection.read_response(timeout=math.inf))
                done, _ = await asyncio.wait({reading}, timeout=self._timeout_s / 2)
                if done:
                    self._heard(reading.result())
                    reading, asked = None, False
                elif asked:
                    raise RedisConnectionError("no answer to PING")
                else:
                    await connection.send_command("PING", check_health=False)
                    asked = True
        finally:
            self._connection = None
            if reading is not None:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
            await connection.disconnect(nowait=True)

    def _heard(self, reply: list[bytes]) -> None:
        self._heard_at = monotonic()
        if reply[1] == self._inbox_channel:
            self._heard_in_inbox(reply)
            return
        channel = self._channels.get(reply[1])
        if channel is None:  # an answer to PING, or a channel left meanwhile
            return
        if reply[0] == b"subscribe":
            channel.joined = True
            for subscription in channel.subscriptions:
                subscription.confirm()
        elif reply[0] == b"message":
            snapshot = job_from_message(channel.job_id, reply[2])
            for subscription in channel.subscriptions:
                subscription.put(snapshot)

    def _heard_in_inbox(self, reply: list[bytes]) -> None:
        if reply[0] == b"subscribe":
            self._inbox_joined = True
            for subscription in self._endings.values():
                subscription.confirm()
        elif reply[0] == b"message":
            job_id, snapshot = ended_job(reply[2])
            if job_id in self._endings:
                self._endings[job_id].put(snapshot)
