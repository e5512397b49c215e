"""Clients of Redis that never hang, for a server by its URL, or for the primary that sentinels name."""

from typing import Any

import redis
import redis.asyncio
import redis.asyncio.connection
import redis.asyncio.sentinel
import redis.connection
import redis.sentinel
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from broker.sentinel_url import SentinelAddress, sentinel_address
from broker.tuning import MAX_CONNECTIONS, READ_BYTES, SENTINEL_TRIES


class _WaitingSentinelPool(
    redis.asyncio.sentinel.SentinelConnectionPool, redis.asyncio.connection.BlockingConnectionPool
):
    """Connections to the primary, of which further calls wait for a free one."""


def async_client(url: str, timeout_s: float) -> redis.asyncio.Redis:
    """A client for one event loop. RESP2 saves a round trip per connection; a lost connection is reported, not retried.

    Sending and reading have no time limits of their own, which would cost a task each: every call runs in a
    `StoreGuard`.
    """
    options: dict[str, Any] = {
        "max_connections": MAX_CONNECTIONS,
        "timeout": timeout_s,
        "socket_timeout": None,
        "socket_connect_timeout": timeout_s,
        "socket_read_size": READ_BYTES,
        "retry": AsyncRetry(NoBackoff(), 0),
        "protocol": 2,
    }
    address = sentinel_address(url)
    if address is None:
        return redis.asyncio.Redis.from_pool(redis.asyncio.BlockingConnectionPool.from_url(url, **options))
    data = redis.asyncio.connection.parse_url(address.data_url)
    manager = redis.asyncio.sentinel.Sentinel(  # type: ignore[no-untyped-call]
        address.hosts, sentinel_kwargs={**_to_sentinels(address, data, timeout_s), "retry": options["retry"]}
    )
    pool = _WaitingSentinelPool(address.service, manager, **_without_class(data), **options)  # type: ignore[no-untyped-call]
    return redis.asyncio.Redis.from_pool(pool)


def sync_client(url: str, timeout_s: float) -> redis.Redis:
    """A client for any number of threads."""
    options: dict[str, Any] = {
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
    }
    address = sentinel_address(url)
    if address is None:
        return redis.Redis.from_url(url, **options)
    data = redis.connection.parse_url(address.data_url)  # type: ignore[no-untyped-call]
    manager = redis.sentinel.Sentinel(  # type: ignore[no-untyped-call]
        address.hosts, sentinel_kwargs={**_to_sentinels(address, data, timeout_s), "retry": options["retry"]}
    )
    pool = redis.sentinel.SentinelConnectionPool(address.service, manager, **_without_class(data), **options)  # type: ignore[no-untyped-call]
    return redis.Redis.from_pool(pool)


async def close_async(client: redis.asyncio.Redis) -> None:
    """Closes every connection of a client, those to sentinels included."""
    await client.aclose()
    for sentinel in _sentinels(client.connection_pool):
        await sentinel.aclose()


def close_sync(client: redis.Redis) -> None:
    """Closes every connection of a client, those to sentinels included."""
    client.close()
    for sentinel in _sentinels(client.connection_pool):
        sentinel.close()


def _to_sentinels(address: SentinelAddress, data: Any, timeout_s: float) -> dict[str, Any]:
    """Options of connections to sentinels. Several may be asked within one call, so each has a part of its time."""
    encryption = {name: value for name, value in data.items() if name.startswith("ssl_")}
    limit_s = timeout_s / SENTINEL_TRIES
    return {
        **encryption,
        "ssl": address.is_encrypted,
        "username": address.sentinel_username,
        "password": address.sentinel_password,
        "socket_timeout": limit_s,
        "socket_connect_timeout": limit_s,
        "protocol": 2,
    }


def _without_class(data: Any) -> dict[str, Any]:
    """Options of the connections to the primary, whose address the sentinels tell."""
    options = {name: value for name, value in data.items() if name not in ("connection_class", "host", "port")}
    return {**options, "ssl": "connection_class" in data}


def _sentinels(pool: Any) -> list[Any]:
    manager = getattr(pool, "sentinel_manager", None)
    return list(manager.sentinels) if manager is not None else []
