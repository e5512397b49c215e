"""What one watch of a job reads."""

import asyncio

import pytest

from broker.gateway.subscription import Subscription
from broker.records import JobRecord, Snapshot
from schemas.errors import StoreUnavailable
from tests.broker.helpers import spec

pytestmark = pytest.mark.anyio


def snapshot(revision: int, status: str = "running") -> Snapshot:
    fields = {"id": "j", "spec": spec(), "status": status, "done": revision, "total": 9, "created_ms": 0, "attempts": 1}
    return Snapshot(revision, JobRecord.model_validate(fields))


async def test_an_unread_change_of_the_same_status_is_replaced() -> None:
    subscription = Subscription()
    for one in (snapshot(1, "queued"), snapshot(2), snapshot(3), snapshot(4, "succeeded")):
        subscription.put(one)
    read = [await subscription.next() for _ in range(3)]
    assert [one.revision for one in read if one is not None] == [1, 3, 4]


async def test_a_second_confirmation_says_that_changes_may_be_missing() -> None:
    subscription = Subscription()
    subscription.confirm()
    assert subscription.joined.done()
    subscription.put(snapshot(1))
    subscription.confirm()
    assert await subscription.next() == snapshot(1)
    assert await subscription.next() is None
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await subscription.next()


async def test_a_failure_comes_after_what_was_received() -> None:
    subscription = Subscription()
    subscription.confirm()
    subscription.put(snapshot(1))
    subscription.fail()
    assert await subscription.next() == snapshot(1)
    with pytest.raises(StoreUnavailable):
        await subscription.next()


async def test_a_failure_before_the_confirmation_ends_the_joining() -> None:
    subscription = Subscription()
    subscription.fail()
    with pytest.raises(StoreUnavailable):
        await subscription.joined
