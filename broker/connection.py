"""Clients of Redis that never hang, and what their errors mean to the service."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

import redis
import redis.asyncio
from redis import exceptions
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from schemas.errors import StoreFull, StoreUnavailable, Unavailable

RETRY_AFTER_S = 2
READ_BYTES = 1 << 20  # at most at once: a result of some hundred kilobytes in a few reads of the event loop
MAX_CONNECTIONS = 64  # of one gateway process; further calls wait within their timeout

# Errors by which a server that answers says it cannot serve now. Inside a script Redis 6.2 hides the code in the text.
UNAVAILABLE_CODES = ("BUSY ", "LOADING", "MASTERDOWN", "MISCONF", "NOREPLICAS", "READONLY", "UNBLOCKED")
OUT_OF_MEMORY = "OOM command not allowed"

LOST = (exceptions.ConnectionError, exceptions.TimeoutError, OSError)  # OSError covers the built-in TimeoutError


def async_client(url: str, timeout_s: float) -> redis.asyncio.Redis:
    """For one event loop. RESP2 saves a round trip per connection; a lost connection is not retried but reported.

    Sending and reading have no time limits of their own, each of which costs a task: calls stand in a `StoreGuard`.
    """
    pool = redis.asyncio.BlockingConnectionPool.from_url(
        url,
        max_connections=MAX_CONNECTIONS,
        timeout=timeout_s,
        socket_timeout=None,
        socket_connect_timeout=timeout_s,
        socket_read_size=READ_BYTES,
        retry=AsyncRetry(NoBackoff(), 0),
        protocol=2,
    )
    return redis.asyncio.Redis.from_pool(pool)


def sync_client(url: str, timeout_s: float) -> redis.Redis:
    """For any number of threads."""
    return redis.Redis.from_url(
        url,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
    )


@contextmanager
def store_errors() -> Iterator[None]:
    """Errors of Redis in the words of the service.

    Raises:
        StoreUnavailable: Redis is away, too slow, starting up or refuses to write.
        StoreFull: it is out of memory (`maxmemory` with a policy that evicts nothing).
    """
    try:
        yield
    except Exception as error:
        told = _told(error)
        if told is None:
            raise
        raise told from error


class StoreGuard:
    """`store_errors` around awaits, and `StoreUnavailable` when they take longer than `timeout_s`: connecting, waiting
    for a connection and reading together. Each call of the store enters one: a generator would cost more."""

    __slots__ = ("_timeout",)

    def __init__(self, timeout_s: float) -> None:
        self._timeout = asyncio.timeout(timeout_s)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._timeout.__aexit__(kind, value, trace)
        except TimeoutError as late:
            value = late
        told = _told(value) if isinstance(value, Exception) else None
        if told is not None:
            raise told from value


def _told(error: Exception) -> Unavailable | None:
    """What an error means to the service; None for one that is not Redis's state."""
    if isinstance(error, LOST):
        return StoreUnavailable("the job store does not answer", retry_after_s=RETRY_AFTER_S)
    if isinstance(error, exceptions.ResponseError):
        text = str(error)
        if isinstance(error, exceptions.OutOfMemoryError) or OUT_OF_MEMORY in text:
            return StoreFull("the job store is out of memory", retry_after_s=RETRY_AFTER_S)
        if isinstance(error, exceptions.ReadOnlyError) or any(code in text for code in UNAVAILABLE_CODES):
            return StoreUnavailable("the job store cannot serve now", retry_after_s=RETRY_AFTER_S)
    return None
