"""Parses server-sent events from chunks of bytes (WHATWG HTML, 9.2)."""

from __future__ import annotations

from collections.abc import Iterator

from attribution_client.errors import BadAnswer

MAX_EVENT_BYTES = 4 * 2**20  # of lines that are not complete, and of one event


class EventParser:
    """Takes chunks and gives the events that they complete, as (event, data). Comments and other fields are ignored."""

    def __init__(self) -> None:
        self._rest = b""
        self._event = "message"
        self._data: list[str] = []
        self._size = 0

    def feed(self, chunk: bytes) -> Iterator[tuple[str, str]]:
        """The events that end in this chunk.

        Raises:
            BadAnswer: an event is too large.
        """
        self._rest += chunk.replace(b"\r\n", b"\n")
        *lines, self._rest = self._rest.split(b"\n")
        if len(self._rest) > MAX_EVENT_BYTES:
            raise BadAnswer("a line of the event stream is too long")
        for line in lines:
            yield from self._line(line.removesuffix(b"\r").decode("utf-8", "replace"))

    def _line(self, line: str) -> Iterator[tuple[str, str]]:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            self._event = value
        elif name == "data":
            self._size += len(value)
            if self._size > MAX_EVENT_BYTES:
                raise BadAnswer("an event of the stream is too large")
            self._data.append(value)
        elif not line:
            if self._data:
                yield self._event, "\n".join(self._data)
            self._event, self._data, self._size = "message", [], 0
