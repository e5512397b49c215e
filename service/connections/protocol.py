"""uvicorn's HTTP/1.1 protocol with bounds: on sizes while a request arrives, on times, and on reading the response."""

import asyncio
import socket
from contextlib import suppress
from http import HTTPStatus
from typing import ClassVar

from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from service.connections.door import Door
from service.connections.progress import Arrival
from service.connections.refusals import Refused, refusal
from service.tuning import LINGER_S, PARSED_BYTES, UNSENT_BYTES

PROBE_PATHS = frozenset({b"/healthz", b"/readyz", b"/v2/health/live", b"/v2/health/ready"})
FIELD_BYTES = 4  # of a header beside its name and value: a colon, a space and the end of the line


class BoundedProtocol(HttpToolsProtocol):
    """One connection. A subclass with a `door` is what uvicorn makes for each; see `protocol_class`.

    The parser has no limits of its own: it keeps an endless header, copying it at each read. So it gets its bytes in
    small parts, and what it reports is counted. Only a request that has passed becomes an ASGI scope.
    """

    door: ClassVar[Door]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._arrival = Arrival(self.door.limits)
        self._part_bytes = min(PARSED_BYTES, self.door.limits.header_bytes)
        self._lingers_s: float | None = None  # since the connection was refused
        self._answered: RequestResponseCycle | None = None  # the request whose response is due; `cycle` is the newest
        self._unread_s = 0.0  # for which the client has not read
        connected = transport.get_extra_info("socket")
        if connected is not None and connected.family in {socket.AF_INET, socket.AF_INET6}:
            # Else a client has to read megabytes of the system's buffer before its reading shows.
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
        self.door.enter(self, self.client[0] if self.client else "", self.loop)

    def connection_lost(self, exc: Exception | None) -> None:
        self.door.leave(self)
        if self._answered is not None and not self._answered.response_complete:
            self._answered.disconnected = True  # uvicorn tells the newest request alone
            self._answered.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._arrival.phase == "idle" and not self._is_responding():
            self._arrival.expect_head()
        for start in range(0, len(data), self._part_bytes):
            if self._lingers_s is not None or self.parser is None or self.transport.is_closing():
                return
            part = data[start : start + self._part_bytes]
            self._arrival.received(len(part))
            super().data_received(part)
            try:
                self._arrival.checked()
            except Refused as refused:
                self._refuse(refused.status)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answered = cycle
        super()._start_asgi_task(cycle, _ended_by_stop(app))

    # Callbacks of the parser. What they raise ends the parsing, and uvicorn calls `send_400_response`.
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._arrival.head_begins()

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._arrival.url(len(self.url))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._arrival.header(len(name) + len(value) + FIELD_BYTES)
        if self._arrival.phase == "head":  # a trailer must not change the headers of a request that has begun
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        is_probe_only = self.door.places.is_kept_for_probes(self)
        if is_probe_only and self.url.partition(b"?")[0] not in PROBE_PATHS:
            self._arrival.refuse(HTTPStatus.SERVICE_UNAVAILABLE)
        if len(self.pipeline) >= self.door.limits.pipelined:
            self._arrival.refuse(HTTPStatus.BAD_REQUEST)
        super().on_headers_complete()
        if is_probe_only:
            self.cycle.keep_alive = False
        self._arrival.body_begins()

    def on_body(self, body: bytes) -> None:
        self._arrival.body(len(body))
        super().on_body(body)
        if self.cycle.response_started and self._arrival.body_bytes > self.door.limits.body_bytes:
            self.drop("unread_body")

    def on_chunk_header(self) -> None:
        self._arrival.chunk()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._arrival.ends()

    def resume_writing(self) -> None:
        self._unread_s = 0.0
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Refuse what could not be parsed, or what a callback has refused."""
        self._refuse(self._arrival.refused or HTTPStatus.BAD_REQUEST)

    def pass_time(self, seconds: float) -> None:
        """Called by the door for every connection."""
        if self._lingers_s is not None:
            self._lingers_s += seconds
            if self._lingers_s > LINGER_S:
                self.transport.abort()
            return
        self._unread_s = self._unread_s + seconds if self.transport.get_write_buffer_size() else 0.0
        if self._unread_s > self.door.limits.write_s:
            self.drop("slow_reader")
        elif not self._waits_for_us() and self._arrival.waits(seconds):
            is_silent = self._arrival.phase == "head" and not self._arrival.begun
            self.drop("silent") if is_silent else self._refuse(HTTPStatus.REQUEST_TIMEOUT)

    def drop(self, reason: str) -> None:
        """End the connection at once."""
        self.door.count(reason)
        self.transport.abort()

    def _waits_for_us(self) -> bool:
        """Whether the client may not send now, or is not asked to: then its time does not run."""
        if self._arrival.phase == "head":
            return self._is_responding()
        return self.flow.read_paused or (self.cycle is not None and self.cycle.waiting_for_100_continue)

    def _is_responding(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _refuse(self, status: HTTPStatus) -> None:
        """Write the refusal, and close once the client has had the time to read it."""
        if self._lingers_s is not None or self.transport.is_closing():
            return
        if self.pipeline or (self._is_responding() and self.cycle.response_started):
            self.drop(f"status_{status.value}")  # a refusal within another response would be read as part of it
            return
        self.door.count(f"status_{status.value}")
        self._lingers_s = 0.0
        if self._is_responding():
            self.cycle.disconnected = True  # for the application the client has left
            self.cycle.message_event.set()
        self.transport.write(refusal(status))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.pause_reading()


def _ended_by_stop(app: ASGI3Application) -> ASGI3Application:
    """The application, whose request ends when it is cancelled. Only a stop does that, after its grace period, when the
    client has been dropped; uvicorn would log a defect."""

    async def ended(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        with suppress(asyncio.CancelledError):
            await app(scope, receive, send)

    return ended


def protocol_class(shared: Door) -> type[BoundedProtocol]:
    """The protocol for the connections of one process."""

    class Connection(BoundedProtocol):
        door = shared

    return Connection
