"""Bytes that requests share: who is admitted, who waits, and who is refused."""

import asyncio
from types import SimpleNamespace

import pytest

from schemas.errors import Unavailable
from service.byte_budget import ByteBudget

pytestmark = pytest.mark.anyio


async def started(budget: ByteBudget, count: int, order: list[int], leave: asyncio.Event) -> asyncio.Task[None]:
    """A task that holds `count` bytes until it may leave."""

    async def hold() -> None:
        async with budget.reserve(count):
            order.append(count)
            await leave.wait()

    task = asyncio.create_task(hold())
    await asyncio.sleep(0)  # the task runs up to its first wait
    await asyncio.sleep(0)
    return task


async def test_no_more_than_the_limit_is_held_and_small_work_passes() -> None:
    budget, order, first, rest = ByteBudget(100), list[int](), asyncio.Event(), asyncio.Event()
    tasks = [await started(budget, 80, order, first)]
    tasks += [await started(budget, count, order, rest) for count in (60, 20, 30)]
    assert (order, budget.reserved, budget.waiting) == ([80, 20], 100, 2)
    first.set()
    await tasks[0]
    assert (budget.reserved, budget.waiting) == (80, 1)
    rest.set()
    await asyncio.gather(*tasks)
    assert order == [80, 20, 60, 30]
    assert (budget.reserved, budget.waiting) == (0, 0)


async def test_who_has_been_first_for_long_is_not_overtaken() -> None:
    budget, order, first, rest = ByteBudget(100, overtaken_s=0), list[int](), asyncio.Event(), asyncio.Event()
    tasks = [await started(budget, 80, order, first)]
    tasks += [await started(budget, count, order, rest) for count in (60, 20)]
    assert order == [80]
    first.set()
    rest.set()
    await asyncio.gather(*tasks)
    assert order == [80, 60, 20]


async def test_small_work_goes_ahead_of_a_long_queue_of_large_work(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("service.byte_budget.time", SimpleNamespace(monotonic=lambda: now))
    budget, order = ByteBudget(100, overtaken_s=5), list[int]()
    leave = [asyncio.Event() for _ in range(3)]
    tasks = [await started(budget, 80, order, leave[number]) for number in range(3)]
    now = 4.0
    leave[0].set()
    await tasks[0]
    now = 8.0  # the last one has waited for 8 s, but has been the first for 4 s only
    rest = [await started(budget, count, order, leave[2]) for count in (10, 9)]
    assert order == [80, 80, 10, 9]
    now = 9.5
    rest.append(await started(budget, 1, order, leave[2]))
    assert order == [80, 80, 10, 9]
    leave[1].set()
    leave[2].set()
    await asyncio.gather(*tasks, *rest)
    assert order == [80, 80, 10, 9, 80, 1]


async def test_a_wait_ends_with_a_refusal_that_says_when_to_return() -> None:
    budget, leave = ByteBudget(100, wait_s=0.01), asyncio.Event()
    holder = await started(budget, 80, [], leave)
    with pytest.raises(Unavailable) as refused:
        async with budget.reserve(30):
            pass
    assert refused.value.retry_after_s is not None
    assert (budget.reserved, budget.waiting) == (80, 0)
    leave.set()
    await holder
    assert budget.reserved == 0


async def test_who_is_cancelled_while_waiting_leaves_nothing() -> None:
    budget, order, leave = ByteBudget(100), list[int](), asyncio.Event()
    holder = await started(budget, 80, order, leave)
    waiter = await started(budget, 60, order, leave)
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    leave.set()
    await holder
    assert (order, budget.reserved, budget.waiting) == ([80], 0, 0)


async def test_more_than_the_limit_is_held_alone() -> None:
    budget, order, first, rest = ByteBudget(100), list[int](), asyncio.Event(), asyncio.Event()
    tasks = [await started(budget, count, order, first) for count in (10, 143)]
    assert (order, budget.reserved, budget.waiting) == ([10], 10, 1)
    first.set()
    await tasks[0]
    tasks.append(await started(budget, 1, order, rest))
    await asyncio.gather(tasks[1])
    rest.set()
    await tasks[2]
    assert (order, budget.reserved) == ([10, 143, 1], 0)


async def test_far_more_than_the_limit_is_never_admitted() -> None:
    with pytest.raises(Unavailable, match="at most 143"):
        async with ByteBudget(100).reserve(144):
            pass


async def test_who_comes_when_too_many_wait_is_refused_at_once_unless_it_fits() -> None:
    budget, order, leave = ByteBudget(100, waiters=2), list[int](), asyncio.Event()
    tasks = [await started(budget, count, order, leave) for count in (80, 50, 60)]
    with pytest.raises(Unavailable) as refused:
        async with budget.reserve(30):
            pass
    assert refused.value.retry_after_s is not None
    tasks.append(await started(budget, 20, order, leave))
    assert (order, budget.reserved, budget.waiting) == ([80, 20], 100, 2)
    leave.set()
    await asyncio.gather(*tasks)
    assert (order, budget.reserved, budget.waiting) == ([80, 20, 50, 60], 0, 0)
