"""A client that sends any bytes, and reads what comes back as HTTP/1.1."""

import asyncio
import contextlib
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")
HEAD_BYTES = 1 << 20  # more than any head of a response
FINAL_STATUS = 200  # and above
NO_BODY = frozenset({204, 304})


class NoAnswer(Exception):
    """The service closed the connection without a response."""


class Hang(Exception):
    """Nothing came within the bound, and the connection stayed open."""


@dataclass(frozen=True)
class Answer:
    """One response. Names of headers are lower case."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def stays_open(self) -> bool:
        return self.headers.get("connection", "").lower() != "close"


class Connection:
    """One connection, opened when it is needed and again after every end. `bound_s`: what counts as a hang."""

    def __init__(self, host: str, port: int, bound_s: float) -> None:
        self._address = (host, port)
        self._bound_s = bound_s
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, request: bytes, *, head_only: bool = False) -> Answer:
        """Sends one whole request and reads the response.

        Raises:
            NoAnswer, Hang: see the classes.
        """
        for fresh in (self._streams is None, True):  # a kept connection may have been closed meanwhile
            try:
                answer = await self._bounded(self._exchange(request, head_only))
            except (NoAnswer, ConnectionError):
                await self.close()
                if fresh:
                    raise NoAnswer from None
                continue
            if not answer.stays_open:
                await self.close()
            return answer
        raise NoAnswer

    async def send_and_end(self, data: bytes) -> list[Answer]:
        """Sends bytes, ends the sending side, and reads responses until the service closes too.

        Raises:
            Hang: it does not.
        """
        await self.close()
        try:
            return await self._bounded(self._until_closed(data))
        except ConnectionError:
            return []
        finally:
            await self.close()

    async def send_and_leave(self, data: bytes) -> None:
        """Sends bytes and closes the connection without reading."""
        await self.close()
        with contextlib.suppress(ConnectionError):
            _, writer = await self._open()
            writer.write(data)
            await writer.drain()
        await self.close()

    async def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            with contextlib.suppress(ConnectionError):
                await self._streams[1].wait_closed()
            self._streams = None

    async def _bounded(self, exchange: Coroutine[Any, Any, T]) -> T:
        try:
            async with asyncio.timeout(self._bound_s):
                return await exchange
        except TimeoutError:
            await self.close()
            raise Hang from None

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._address, limit=HEAD_BYTES)
        return self._streams

    async def _exchange(self, request: bytes, head_only: bool) -> Answer:
        reader, writer = await self._open()
        writer.write(request)
        with contextlib.suppress(ConnectionError):  # refused before the end of the body: the response may be there
            await writer.drain()
        return await _read_answer(reader, head_only)

    async def _until_closed(self, data: bytes) -> list[Answer]:
        reader, writer = await self._open()
        writer.write(data)
        await writer.drain()
        writer.write_eof()
        answers = []
        while True:
            try:
                answers.append(await _read_answer(reader, head_only=False))
            except NoAnswer:
                return answers


async def _read_answer(reader: asyncio.StreamReader, head_only: bool) -> Answer:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ")[1])
        if status < FINAL_STATUS:  # 100 Continue: the response follows
            return await _read_answer(reader, head_only)
        headers = {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])
        }
        if head_only or status in NO_BODY:
            return Answer(status, headers)
        return Answer(status, headers, await _read_body(reader, headers))
    except asyncio.IncompleteReadError:
        raise NoAnswer from None


async def _read_body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        parts = []
        while size := int((await reader.readline()).split(b";")[0] or b"0", 16):
            parts.append(await reader.readexactly(size))
            await reader.readexactly(2)
        await reader.readline()
        return b"".join(parts)
    if "content-length" in headers:
        return await reader.readexactly(int(headers["content-length"]))
    return await reader.read()
