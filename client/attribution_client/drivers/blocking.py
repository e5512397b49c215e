"""Runs flows with blocking calls. One driver may be used by several threads at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
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


class BlockingDriver:
    """Takes the steps of flows over one pool of connections."""

    def __init__(self, connection: Connection, transport: httpx.BaseTransport | None = None) -> None:
        self.url = connection.url
        self._options = {**client_options(connection), "transport": transport}
        self._client = httpx.Client(**self._options)

    def close(self) -> None:
        """Closes the connections. A flow that runs later opens its own, so that a result can still be drawn."""
        self._client.close()

    def run(self, flow: Flow[T]) -> T:
        """The result of the flow. What a step raises, an interrupt included, is raised inside the flow first."""
        with self._usable() as client, closing(_Session(client, self.url)) as session:
            try:
                step = next(flow)
                while True:
                    outcome, error = session.tried(step)
                    step = flow.send(outcome) if error is None else flow.throw(error)
            except StopIteration as stop:
                result: T = stop.value
                return result

    @contextmanager
    def _usable(self) -> Iterator[httpx.Client]:
        """The client, or one for a single flow where it is closed."""
        if not self._client.is_closed:
            yield self._client
            return
        with httpx.Client(**self._options) as fresh:
            yield fresh


class _Session:
    """Takes the steps of one flow, which may have one stream open."""

    def __init__(self, client: httpx.Client, url: str) -> None:
        self._client = client
        self._url = url
        self._stream: httpx.Response | None = None
        self._chunks: Iterator[bytes] | None = None

    def tried(self, step: Step) -> tuple[Any, BaseException | None]:
        """What came of the step, or what it raised."""
        try:
            return self._take(step), None
        except BaseException as error:  # interrupts too: the flow decides
            return None, error

    def close(self) -> None:
        """Closes the stream, if one is open."""
        if self._stream is not None:
            self._stream.close()
            self._stream = self._chunks = None

    def _take(self, step: Step) -> Any:
        try:
            if isinstance(step, Call):
                return self._answered(step)
            if isinstance(step, Pause):
                return time.sleep(step.seconds)
            if isinstance(step, Listen):
                return self._listen(step.call)
            return self._next_chunk() if isinstance(step, NextChunk) else self.close()
        except httpx.TransportError as error:
            raise failure_of(error, self._url) from error
        except httpx.DecodingError as error:
            raise BadAnswer(f"the answer cannot be decompressed: {error}") from error

    def _sent(self, call: Call) -> httpx.Response:
        return self._client.send(self._client.build_request(**request_options(call)), stream=True)

    def _answered(self, call: Call) -> Reply:
        response = self._sent(call)
        try:
            return _whole(response, MAX_ANSWER_BYTES if response.is_success else MAX_ERROR_BYTES)
        finally:
            response.close()

    def _listen(self, call: Call) -> Reply:
        self.close()
        self._stream = self._sent(call)
        if not self._stream.is_success:
            return _whole(self._stream, MAX_ERROR_BYTES)
        self._chunks = self._stream.iter_bytes()
        return reply_of(self._stream, b"")

    def _next_chunk(self) -> bytes | None:
        return None if self._chunks is None else next(self._chunks, None)


def _whole(response: httpx.Response, limit_bytes: int) -> Reply:
    body = Body(limit_bytes)
    for chunk in response.iter_bytes():
        body.add(chunk)
    return reply_of(response, body.content)
