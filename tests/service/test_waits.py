"""Waits end when the gateway is told to stop, and otherwise as without it."""

import asyncio

import pytest

from service.waits import Waits

pytestmark = pytest.mark.anyio


async def forever() -> str:
    await asyncio.Event().wait()
    return "never"


async def value() -> str:
    return "done"


async def broken() -> str:
    raise ValueError("broken")


async def begun(waits: Waits, count: int) -> list[asyncio.Task[str]]:
    """So many waits, each of which waits by now."""
    tasks = [asyncio.create_task(waits.until_stop(forever, "stopped")) for _ in range(count)]
    await asyncio.sleep(0)
    return tasks


async def test_work_that_ends_first() -> None:
    assert await Waits().until_stop(value, "stopped") == "done"
    with pytest.raises(ValueError, match="broken"):
        await Waits().until_stop(broken, "stopped")


async def test_a_stop_ends_those_that_wait_and_those_that_come_later() -> None:
    waits = Waits()
    tasks = await begun(waits, 3)
    waits.stop()
    assert await asyncio.gather(*tasks) == ["stopped"] * 3
    assert await waits.until_stop(forever, "stopped") == "stopped"
    assert all(task.cancelling() == 0 for task in tasks)


async def test_another_cancellation_stays_one() -> None:
    waits = Waits()
    before, during = await begun(waits, 2)
    before.cancel()
    with pytest.raises(asyncio.CancelledError):
        await before
    waits.stop()
    during.cancel()
    with pytest.raises(asyncio.CancelledError):
        await during


async def test_a_time_limit_within_the_work_is_its_own() -> None:
    async def limited() -> str:
        try:
            async with asyncio.timeout(0.01):
                return await forever()
        except TimeoutError:
            return "late"

    assert await Waits().until_stop(limited, "stopped") == "late"
