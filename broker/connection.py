"""Clients of Redis that never hang, and what their errors mean to the service."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import redis
import redis.asyncio
from redis import exceptions
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from schemas.errors import StoreFull, StoreUnavailable

RETRY_AFTER_S = 2
MAX_CONNECTIONS = 64  # of one gateway process; further calls wait within their timeout

# Errors by which a server that answers says it cannot serve now. Inside a script Redis 6.2 hides the code in the text.
UNAVAILABLE_CODES = ("BUSY ", "LOADING", "MASTERDOWN", "MISCONF", "NOREPLICAS", "READONLY", "UNBLOCKED")
OUT_OF_MEMORY = "OOM command not allowed"

LOST = (exceptions.ConnectionError, exceptions.TimeoutError, OSError)  # OSError covers the built-in TimeoutError


def async_client(url: str, timeout_s: float) -> redis.asyncio.Redis:
    """For one event loop. RESP2 saves a round trip per connection; a lost connection is not retried but reported."""
    pool = redis.asyncio.BlockingConnectionPool.from_url(
        url,
        max_connections=MAX_CONNECTIONS,
        timeout=timeout_s,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
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
    except LOST as error:
        raise StoreUnavailable("the job store does not answer", retry_after_s=RETRY_AFTER_S) from error
    except exceptions.ResponseError as error:
        text = str(error)
        if isinstance(error, exceptions.OutOfMemoryError) or OUT_OF_MEMORY in text:
            raise StoreFull("the job store is out of memory", retry_after_s=RETRY_AFTER_S) from error
        if isinstance(error, exceptions.ReadOnlyError) or any(code in text for code in UNAVAILABLE_CODES):
            raise StoreUnavailable("the job store cannot serve now", retry_after_s=RETRY_AFTER_S) from error
        raise


@asynccontextmanager
async def store_guard(timeout_s: float) -> AsyncIterator[None]:
    """`store_errors`, and `StoreUnavailable` when the body takes longer: connecting, waiting and reading together."""
    with store_errors():
        async with asyncio.timeout(timeout_s):
            yield
