"""The two clients are alike, and `map` keeps order and bounds."""

import asyncio
import inspect
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from attribution_client import AsyncClient, Client
from attribution_client.errors import InputError
from attribution_client.mapping import AHEAD, map_in_threads, map_on_loop

METHODS = [name for name in vars(Client) if not name.startswith("_")]


@pytest.mark.parametrize("name", METHODS)
def test_both_clients_take_the_same(name: str) -> None:
    blocking, on_loop = (inspect.signature(getattr(kind, name)) for kind in (Client, AsyncClient))
    assert [str(one) for one in blocking.parameters.values()] == [str(one) for one in on_loop.parameters.values()]
    assert str(on_loop.return_annotation).replace("Async", "") == blocking.return_annotation


def test_they_have_the_same_methods() -> None:
    assert [name for name in vars(AsyncClient) if not name.startswith("_")] == METHODS


class Counted:
    """Inputs that count how many were taken."""

    def __init__(self, count: int) -> None:
        self.taken = 0
        self._count = count

    def __iter__(self) -> Iterator[int]:
        for number in range(self._count):
            self.taken += 1
            yield number


def test_threads_keep_order_and_run_no_more_than_asked() -> None:
    """The first two of three end only once the third has begun, and no fourth runs beside them."""
    running: list[int] = []
    most: list[int] = []
    third = threading.Event()
    lock = threading.Lock()

    def explain(number: int) -> int:
        with lock:
            running.append(number)
            most.append(len(running))
        if number == 2:
            third.set()
        elif number < 2:
            assert third.wait(10)
        with lock:
            running.remove(number)
        return number

    assert list(map_in_threads(explain, iter(range(20)), 3, "raise")) == list(range(20))
    assert max(most) == 3


def test_few_inputs_are_taken_ahead_and_none_after_the_caller_stops() -> None:
    inputs = Counted(1000)
    results = map_in_threads(lambda number: number, iter(inputs), 2, "raise")
    assert next(results) == 0
    assert inputs.taken == AHEAD * 2
    results.close()
    assert inputs.taken == AHEAD * 2


def failing(number: int) -> int:
    if number == 1:
        raise InputError("one")
    return number


def test_an_error_is_raised_in_its_place_or_returned() -> None:
    kept = list(map_in_threads(failing, iter(range(3)), 2, "return"))
    assert (kept[0], str(kept[1]), kept[2]) == (0, "one", 2)
    results = map_in_threads(failing, iter(range(3)), 2, "raise")
    assert next(results) == 0
    with pytest.raises(InputError, match="one"):
        next(results)


def test_tasks_keep_order_and_are_cancelled_when_the_caller_stops() -> None:
    async def run() -> None:
        started: list[int] = []
        cancelled: list[int] = []
        forever = asyncio.Event()

        async def explain(number: int) -> int:
            started.append(number)
            try:
                if number >= 2:
                    await forever.wait()
            except asyncio.CancelledError:
                cancelled.append(number)
                raise
            return number

        results: Any = map_on_loop(explain, iter(range(100)), 2, "raise")
        assert [await anext(results), await anext(results)] == [0, 1]
        await results.aclose()
        assert started == [0, 1, 2, 3]
        assert sorted(cancelled) == [2, 3]

        async def fails(number: int) -> int:
            return failing(number)

        kept = [one async for one in map_on_loop(fails, iter(range(3)), 2, "return")]
        assert [str(one) for one in kept] == ["0", "one", "2"]

    asyncio.run(run())
