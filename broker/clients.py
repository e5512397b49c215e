"""Clients of Redis that never hang."""

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from broker.tuning import MAX_CONNECTIONS, READ_BYTES


def async_client(url: str, timeout_s: float) -> redis.asyncio.Redis:
    """A client for one event loop. RESP2 saves a round trip per connection; a lost connection is reported, not retried.

    Sending and reading have no time limits of their own, which would cost a task each: every call runs in a
    `StoreGuard`.
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
    """A client for any number of threads."""
    return redis.Redis.from_url(
        url,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
    )
