"""Reads of all stores, of which some may be away."""

import asyncio
from collections.abc import Awaitable, Iterable
from typing import TypeVar

from broker.store_errors import no_answer
from broker.tuning import LISTING_TIMEOUT_S
from schemas.errors import StoreUnavailable

T = TypeVar("T")


async def of_reachable(calls: Iterable[tuple[str, Awaitable[T]]]) -> tuple[dict[str, T], list[str]]:
    """The answers of the stores that give one within `LISTING_TIMEOUT_S`, and the names of those that give none.

    Args:
        calls: one for each store, with the name of the store.

    Raises:
        StoreUnavailable: no store answers.
    """
    named = list(calls)
    replies = await asyncio.gather(*(_within_the_time(call) for _, call in named), return_exceptions=True)
    answers: dict[str, T] = {}
    away: list[str] = []
    for (name, _), reply in zip(named, replies, strict=True):
        if isinstance(reply, StoreUnavailable):
            away.append(name)
        elif isinstance(reply, BaseException):
            raise reply
        else:
            answers[name] = reply
    if not answers:
        raise no_answer()
    return answers, away


async def of_all(calls: Iterable[tuple[str, Awaitable[T]]]) -> dict[str, T]:
    """The answers of all stores. Raises `StoreUnavailable` where one is away."""
    answers, away = await of_reachable(calls)
    if away:
        raise no_answer()
    return answers


async def _within_the_time(call: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(LISTING_TIMEOUT_S):
            return await call
    except TimeoutError:
        raise no_answer() from None
