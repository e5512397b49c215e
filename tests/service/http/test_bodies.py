"""The memory of all bodies together: who gets it, and who gives way."""

import asyncio
import gc
import weakref

import pytest
from starlette.requests import Request
from starlette.types import Message

from schemas.errors import Unavailable
from service.http.bodies import Bodies, Body
from service.http.disconnect import unless_disconnected

pytestmark = pytest.mark.anyio


async def never() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


async def test_memory_is_given_back() -> None:
    bodies = Bodies(100)
    with bodies.hold() as first, bodies.hold() as second:
        bodies.grow(first, 60, is_complete=True)
        with pytest.raises(Unavailable) as refused:
            bodies.grow(second, 41, is_complete=True)
        assert refused.value.retry_after_s
        bodies.grow(second, 40, is_complete=True)
        assert bodies.held == 100
    assert bodies.held == 0


async def test_the_body_that_has_been_arriving_for_longest_gives_way() -> None:
    bodies = Bodies(100)
    with bodies.hold() as complete, bodies.hold() as old, bodies.hold() as newer, bodies.hold() as newest:
        bodies.grow(complete, 10, is_complete=True)
        bodies.grow(old, 40, is_complete=False)
        bodies.grow(newer, 40, is_complete=False)
        bodies.grow(newest, 50, is_complete=False)
        assert [body.is_displaced for body in (complete, old, newer, newest)] == [False, True, False, False]
        with pytest.raises(Unavailable):  # of those that arrive it is the oldest now
            bodies.grow(newer, 1, is_complete=False)
        with pytest.raises(Unavailable):
            await old.receive(never)
    assert bodies.held == 0


async def test_a_client_that_has_sent_nothing_gives_no_way() -> None:
    bodies = Bodies(10)
    with bodies.hold() as silent, bodies.hold() as sending, bodies.hold() as other:
        bodies.grow(silent, 0, is_complete=False)
        bodies.grow(sending, 10, is_complete=True)
        with pytest.raises(Unavailable):
            bodies.grow(other, 1, is_complete=True)
        assert not silent.is_displaced


async def test_a_displaced_request_that_waits_is_woken() -> None:
    body = Body()
    waiting = asyncio.create_task(body.receive(never))
    await asyncio.sleep(0)
    body.displace()
    with pytest.raises(Unavailable):
        await waiting
    assert waiting.cancelling() == 0


@pytest.mark.parametrize("is_displaced", [False, True])
async def test_another_cancellation_stays_one(is_displaced: bool) -> None:
    body = Body()
    waiting = asyncio.create_task(body.receive(never))
    await asyncio.sleep(0)
    waiting.cancel()
    if is_displaced:
        body.displace()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_request_that_waited_is_freed_at_its_end() -> None:
    """Its body may be large, and the garbage collector may come late."""

    async def waited() -> weakref.ref[Request]:
        body = Body()
        request = Request({"type": "http"}, lambda: body.receive(never))
        assert await unless_disconnected(request, asyncio.sleep(0, True))
        return weakref.ref(request)

    gc.disable()
    try:
        others = asyncio.all_tasks()
        request = await waited()
        listening = asyncio.all_tasks() - others
        await asyncio.wait(listening)  # for the end of the task that was cancelled
        del listening
        assert request() is None
    finally:
        gc.enable()
