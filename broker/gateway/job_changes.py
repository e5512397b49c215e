"""Follows one job to its end: snapshots from a subscription, read anew where some may have been missed."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import suppress

from broker.gateway.subscription import Subscription
from broker.records import JobRecord, Snapshot, Waited
from schemas.jobs import TERMINAL

ReadSnapshot = Callable[[str], Awaitable[Snapshot]]


async def ended_within(first: Snapshot, subscription: Subscription, read: ReadSnapshot, wait_s: float) -> Waited:
    """The job at its end, or as it stands after `wait_s`."""
    latest = first
    try:
        async with asyncio.timeout(wait_s):
            while latest.record.status not in TERMINAL:
                latest = await subscription.next() or await read(first.record.id)
    except TimeoutError:
        latest = await read(first.record.id)
    return Waited(latest.record, latest.result)


async def changes(first: Snapshot, subscription: Subscription, read: ReadSnapshot) -> AsyncGenerator[JobRecord, None]:
    """The job, then the job after each change, until it is terminal."""
    latest = first
    yield latest.record
    while latest.record.status not in TERMINAL:
        snapshot = await subscription.next() or await read(first.record.id)
        if snapshot.revision > latest.revision:
            latest = snapshot
            yield latest.record


async def watched_within(records: AsyncIterator[JobRecord], wait_s: float) -> Waited:
    """The last of `records`, or the latest after `wait_s`."""
    latest = await anext(records)
    with suppress(TimeoutError):
        async with asyncio.timeout(wait_s):
            async for record in records:
                latest = record
    return Waited(latest)
