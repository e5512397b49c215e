"""Runs flows on an event loop of asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any, TypeVar

import httpx

from attribution_client.connection import Connection
from attribution_client.core.steps import Call, Flow, Listen, NextChunk, Pause, Reply, Step
from attribution_client.drivers.http import (
    MAX_ANSWER_BYTES,
    MAX_ERROR_BYTES,
    Body,
    client_options,
    failure_of,
    reply_of,
    request_options,
)
from attribution_client.errors import BadAnswer

T = TypeVar("T")


class LoopDriver:
    """Takes the steps of flows over one pool of connections."""

    def __init__(self, connection: Connection, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.url = connection.url
        self._options = {**client_options(connection), "transport": transport}
        self._client = httpx.AsyncClient(**self._options)

    async def close(self) -> None:
        """Closes the connections. A flow that runs later opens its own, so that a result can still be drawn."""
        await self._client.aclose()

    async def run(self, flow: Flow[T]) -> T:
        """The result of the flow. What a step raises, a cancellation included, is raised inside the flow first."""
        async with self._usable() as client, aclosing(_Session(client, self.url)) as session:
            try:
                step = next(flow)
                while True:
                    outcome, error = await session.tried(step)
                    step = flow.send(outcome) if error is None else flow.throw(error)
            except StopIteration as stop:
                result: T = stop.value
                return result

    @asynccontextmanager
    async def _usable(self) -> AsyncIterator[httpx.AsyncClient]:
        """The client, or one for a single flow where it is closed."""
        if not self._client.is_closed:
            yield self._client
            return
        async with httpx.AsyncClient(**self._options) as fresh:
            yield fresh


class _Session:
    """Takes the steps of one flow, which may have one stream open."""

    def __init__(self, client: httpx.AsyncClient, url: str) -> None:
        self._client = client
        self._url = url
        self._stream: httpx.Response | None = None
        self._chunks: AsyncIterator[bytes] | None = None

    async def tried(self, step: Step) -> tuple[Any, BaseException | None]:
        """What came of the step, or what it raised."""
        try:
            return await self._take(step), None
        except BaseException as error:  # interrupts too: the flow decides
            return None, error

    async def aclose(self) -> None:
        """Closes the stream, if one is open."""
        if self._stream is not None:
            await self._stream.aclose()
            self._stream = self._chunks = None

    async def _take(self, step: Step) -> Any:
        try:
            if isinstance(step, Call):
                return await self._answered(step)
            if isinstance(step, Pause):
                return await asyncio.sleep(step.seconds)
            if isinstance(step, Listen):
                return await self._listen(step.call)
            return await (self._next_chunk() if isinstance(step, NextChunk) else self.aclose())
        except httpx.TransportError as error:
            raise failure_of(error, self._url) from error
        except httpx.DecodingError as error:
            raise BadAnswer(f"the answer cannot be decompressed: {error}") from error

    async def _sent(self, call: Call) -> httpx.Response:
        return await self._client.send(self._client.build_request(**request_options(call)), stream=True)

    async def _answered(self, call: Call) -> Reply:
        response = await self._sent(call)
        try:
            return await _whole(response, MAX_ANSWER_BYTES if response.is_success else MAX_ERROR_BYTES)
        finally:
            await response.aclose()

    async def _listen(self, call: Call) -> Reply:
        await self.aclose()
        self._stream = await self._sent(call)
        if not self._stream.is_success:
            return await _whole(self._stream, MAX_ERROR_BYTES)
        self._chunks = self._stream.aiter_bytes()
        return reply_of(self._stream, b"")

    async def _next_chunk(self) -> bytes | None:
        return None if self._chunks is None else await anext(self._chunks, None)


async def _whole(response: httpx.Response, limit_bytes: int) -> Reply:
    body = Body(limit_bytes)
    async for chunk in response.aiter_bytes():
        body.add(chunk)
    return reply_of(response, body.content)
