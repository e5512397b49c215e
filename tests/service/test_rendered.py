"""Kept pictures: drawn once for many, bounded in bytes and in age, and nothing kept of what fails."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from service.rendered import RenderedPictures, picture_key

pytestmark = pytest.mark.anyio


class Pencil:
    """Draws `picture` when `go` is set, and counts."""

    def __init__(self, picture: bytes = b"picture", error: Exception | None = None) -> None:
        self.picture, self.error = picture, error
        self.begun, self.finished, self.go = 0, 0, asyncio.Event()
        self.go.set()

    async def __call__(self) -> bytes:
        self.begun += 1
        await self.go.wait()
        self.finished += 1
        if self.error is not None:
            raise self.error
        return self.picture


async def waiting(call: Callable[[], Coroutine[Any, Any, bytes]]) -> asyncio.Task[bytes]:
    """A task that has come to its first wait."""
    task = asyncio.create_task(call())
    for _ in range(3):
        await asyncio.sleep(0)
    return task


async def test_equal_requests_draw_once_at_the_same_time_and_later() -> None:
    pictures, pencil = RenderedPictures(), Pencil()
    pencil.go.clear()
    tasks = [await waiting(lambda: pictures.get(b"key", pencil)) for _ in range(3)]
    pencil.go.set()
    assert await asyncio.gather(*tasks) == [b"picture"] * 3
    assert await pictures.get(b"key", pencil) == b"picture"
    assert await pictures.get(b"other", pencil) == b"picture"
    assert pencil.begun == 2
    assert pictures.held_bytes == 2 * len(b"picture")


async def test_nothing_is_kept_of_what_fails() -> None:
    pictures, pencil = RenderedPictures(), Pencil(error=ValueError("no ink"))
    pencil.go.clear()
    tasks = [await waiting(lambda: pictures.get(b"key", pencil)) for _ in range(2)]
    pencil.go.set()
    assert [str(error) for error in await asyncio.gather(*tasks, return_exceptions=True)] == ["no ink"] * 2
    pencil.error = None
    assert await pictures.get(b"key", pencil) == b"picture"
    assert pencil.begun == 2


async def test_who_leaves_stops_the_drawing_only_if_nobody_else_waits() -> None:
    pictures, pencil = RenderedPictures(), Pencil()
    pencil.go.clear()
    first, second = [await waiting(lambda: pictures.get(b"key", pencil)) for _ in range(2)]
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    third = await waiting(lambda: pictures.get(b"key", pencil))
    pencil.go.set()
    assert await asyncio.gather(second, third) == [b"picture"] * 2
    assert (pencil.begun, pencil.finished) == (1, 1)

    pencil.go.clear()
    alone = await waiting(lambda: pictures.get(b"new", pencil))
    alone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await alone
    pencil.go.set()
    assert await pictures.get(b"new", pencil) == b"picture"  # not that of the drawing that was stopped
    assert (pencil.begun, pencil.finished) == (3, 2)


async def test_bytes_are_bounded_and_a_large_picture_drives_out_no_others() -> None:
    pictures, pencil = RenderedPictures(max_bytes=100), Pencil(b"x" * 20)
    for number in range(50):
        await pictures.get(b"%d" % number, pencil)
        assert pictures.held_bytes <= 100
    assert pencil.begun == 50
    await pictures.get(b"large", Pencil(b"x" * 26))
    for number in range(45, 50):
        await pictures.get(b"%d" % number, pencil)
    assert pencil.begun == 50


async def test_a_picture_is_kept_for_a_while_only() -> None:
    pictures, pencil = RenderedPictures(ttl_s=0), Pencil()
    for _ in range(2):
        await pictures.get(b"key", pencil)
    assert pencil.begun == 2


def test_keys_differ_where_the_parts_do() -> None:
    keys = [picture_key("ab", "c"), picture_key("a", "bc"), picture_key("abc"), picture_key("abc", "")]
    assert len(set(keys)) == len(keys)
    assert picture_key("ab", b"c") == keys[0]
