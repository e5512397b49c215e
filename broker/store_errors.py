"""Errors of Redis as errors of the service."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from redis import exceptions

from broker.tuning import RETRY_AFTER_S
from schemas.errors import StoreFull, StoreUnavailable, Unavailable

# Errors by which a server that answers says it cannot serve now. Inside a script Redis 6.2 hides the code in the text.
UNAVAILABLE_CODES = ("BUSY ", "LOADING", "MASTERDOWN", "MISCONF", "NOREPLICAS", "READONLY", "UNBLOCKED")
OUT_OF_MEMORY = "OOM command not allowed"

LOST = (exceptions.ConnectionError, exceptions.TimeoutError, OSError)  # OSError covers the built-in TimeoutError


def no_answer() -> StoreUnavailable:
    """The error for a store that is away."""
    return StoreUnavailable("the job store does not answer", retry_after_s=RETRY_AFTER_S)


@contextmanager
def store_errors() -> Iterator[None]:
    """Raises errors of Redis as errors of the service.

    Raises:
        StoreUnavailable: Redis is away, too slow, starting up or refuses to write.
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
    """None for an error that does not come from the state of Redis."""
    if isinstance(error, LOST):
        return no_answer()
    if isinstance(error, exceptions.ResponseError):
        text = str(error)
        if isinstance(error, exceptions.OutOfMemoryError) or OUT_OF_MEMORY in text:
            return StoreFull("the job store is out of memory", retry_after_s=RETRY_AFTER_S)
        if isinstance(error, exceptions.ReadOnlyError) or any(code in text for code in UNAVAILABLE_CODES):
            return StoreUnavailable("the job store cannot serve now", retry_after_s=RETRY_AFTER_S)
    return None
