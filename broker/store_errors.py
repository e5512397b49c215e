"""Errors of Redis as errors of the service."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

import structlog
from redis import exceptions

from broker.tuning import MAX_LOGGED_ERROR, RETRY_AFTER_S
from schemas.errors import StoreFull, StoreUnavailable, Unavailable

log = structlog.get_logger(__name__)

# Errors of a server that will soon serve again by itself. Inside a script Redis 6.2 hides the code in the text.
TRANSIENT_CODES = ("BUSY ", "LOADING", "MASTERDOWN", "NOREPLICAS", "READONLY", "UNBLOCKED")
TRANSIENT = (exceptions.BusyLoadingError, exceptions.ReadOnlyError)
OUT_OF_MEMORY = "OOM command not allowed"

LOST = (exceptions.ConnectionError, exceptions.TimeoutError, OSError)  # OSError covers the built-in TimeoutError


def no_answer() -> StoreUnavailable:
    """The error for a store that is away."""
    return StoreUnavailable("the job store does not answer", retry_after_s=RETRY_AFTER_S)


@contextmanager
def store_errors() -> Iterator[None]:
    """Raises errors of Redis as errors of the service.

    Raises:
        StoreUnavailable: Redis is away, too slow, starting up, or refuses the command for whatever reason.
        StoreFull: it is out of memory (`maxmemory` with a policy that evicts nothing).
    """
    try:
        yield
    except Exception as error:
        translated = _as_service_error(error)
        if translated is None:
            raise
        raise translated from error


class StoreGuard:
    """`store_errors` around awaits, and `StoreUnavailable` when they take longer than `timeout_s`: connecting, waiting
    for a connection and reading together. It is a class because each call of the store enters one, and a generator
    costs more."""

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
        translated = _as_service_error(value) if isinstance(value, Exception) else None
        if translated is not None:
            raise translated from value


def _as_service_error(error: Exception) -> Unavailable | None:
    """None for an error that does not come from Redis.

    Every error of Redis means that the store cannot serve now: an operator puts it right, and callers try again. Its
    text goes to the log, unless it is one of those that come and go by themselves.
    """
    if isinstance(error, exceptions.ResponseError):
        text = str(error)
        if isinstance(error, exceptions.OutOfMemoryError) or OUT_OF_MEMORY in text:
            return StoreFull("the job store is out of memory", retry_after_s=RETRY_AFTER_S)
        if not isinstance(error, TRANSIENT) and not any(code in text for code in TRANSIENT_CODES):
            log.error("job_store_refuses", error=type(error).__name__, detail=text[:MAX_LOGGED_ERROR])
        return StoreUnavailable("the job store cannot serve now", retry_after_s=RETRY_AFTER_S)
    if isinstance(error, exceptions.AuthenticationError):
        log.error("job_store_refuses", error=type(error).__name__)
    if isinstance(error, LOST):
        return no_answer()
    if isinstance(error, exceptions.RedisError):
        log.error("job_store_refuses", error=type(error).__name__)
        return StoreUnavailable("the job store cannot serve now", retry_after_s=RETRY_AFTER_S)
    return None
