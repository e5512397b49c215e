"""How far the request that now arrives on a connection has come, and how long that has taken."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal, NoReturn

from service.connections.limits import ConnectionLimits
from service.connections.refusals import Refused
from service.tuning import CHUNK_BYTES, MAX_SMALL_CHUNKS

Phase = Literal["idle", "head", "body"]


@dataclass(slots=True)
class Arrival:
    """Counts what the parser reports. Every method that counts raises `Refused` beyond a limit."""

    limits: ConnectionLimits
    phase: Phase = "head"  # of a new connection, which has to send a request
    begun: bool = False  # whether a byte of the head has come
    waited_s: float = 0.0  # in this phase
    head_bytes: int = 0  # of the URL and the complete headers
    headers: int = 0
    body_bytes: int = 0
    chunks: int = 0  # of the body
    refused: HTTPStatus | None = None
    unused_bytes: int = 0  # received since the parser last completed a head or gave bytes of a body

    def refuse(self, status: HTTPStatus) -> NoReturn:
        """Raise `Refused`, and remember the status: the parser turns what its callbacks raise into its own error."""
        self.refused = status
        raise Refused(status)

    def received(self, size: int) -> None:
        """Bytes that the parser is about to see."""
        self.begun = True
        self.unused_bytes += size

    def checked(self) -> None:
        """The parser has seen all received bytes, and holds back those that are unused."""
        if self.unused_bytes > self.limits.header_bytes:
            self.refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def head_begins(self) -> None:
        self._enter("head")
        self.begun = True
        self.head_bytes = self.headers = self.body_bytes = self.chunks = 0

    def url(self, url_bytes: int) -> None:
        """The URL as far as it has come."""
        if url_bytes > self.limits.url_bytes:
            self.refuse(HTTPStatus.REQUEST_URI_TOO_LONG)
        self.head_bytes = url_bytes

    def header(self, size: int) -> None:
        """One more complete field, also of a trailer."""
        self.headers += 1
        self.head_bytes += size
        if self.headers > self.limits.headers or self.head_bytes > self.limits.header_bytes:
            self.refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def body_begins(self) -> None:
        self._enter("body")
        self.unused_bytes = 0

    def body(self, size: int) -> None:
        """More of the body. The middleware answers a body that is too large; this bounds what is read after it."""
        self.unused_bytes = 0
        self.body_bytes += size

    def chunk(self) -> None:
        """One more chunk begins. Each costs this process as much as some kilobytes of a body."""
        self.chunks += 1
        if self.chunks > MAX_SMALL_CHUNKS + self.body_bytes // CHUNK_BYTES:
            self.refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)

    def ends(self) -> None:
        self._enter("idle")
        self.begun = False
        self.unused_bytes = 0

    def waits(self, seconds: float) -> bool:
        """Add to the time that the client has taken; whether it has taken too long."""
        self.waited_s += seconds
        if self.phase == "head":
            return self.waited_s > self.limits.head_s
        if self.phase == "body":
            return self.waited_s > self.limits.body_grace_s + self.body_bytes / self.limits.body_rate
        return False

    def expect_head(self) -> None:
        """The connection is idle, and a byte has come or a request is due: its time begins."""
        self._enter("head")

    def _enter(self, phase: Phase) -> None:
        self.phase = phase
        self.waited_s = 0.0
