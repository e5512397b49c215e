"""A way to the service that a test can cut and mend: a TCP relay on a loopback port of its own."""

import contextlib
import re
import selectors
import socket
import threading
from types import TracebackType
from typing import Self

CHUNK_BYTES = 65_536
END_OF_HEAD = b"\r\n\r\n"
# What Chromium says of a request whose connection broke, or that got none.
LOST = (
    "ERR_(CONNECTION_REFUSED|CONNECTION_RESET|CONTENT_LENGTH_MISMATCH|EMPTY_RESPONSE|INCOMPLETE_CHUNKED_ENCODING"
    "|SOCKET_NOT_CONNECTED)"
)


class Interruption:
    """Relays every connection to `target`, until `cut`: then all break and new ones are refused. `mend` undoes that.

    `lose_answers` breaks the connections of some requests alone.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._address = ("127.0.0.1", 0)
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._losing: re.Pattern[bytes] | None = None
        self._left = 0  # answers to lose
        self._listener: socket.socket | None = None
        self.mend()

    @property
    def url(self) -> str:
        """The address that leads to the service."""
        return f"http://{self._address[0]}:{self._address[1]}"

    def mend(self) -> None:
        """Listen again on the same port."""
        listener = socket.create_server(self._address, backlog=64)
        self._address = listener.getsockname()
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def lose_answers(self, request: bytes, count: int) -> None:
        """Break the connection of the next `count` requests after the head of the answer, so that its body is lost.

        Args:
            request: a pattern of the request's first bytes, such as `rb"POST /compare "`.
        """
        with self._lock:
            self._losing, self._left = re.compile(request), count

    def cut(self) -> None:
        """Break every connection and refuse new ones. Idempotent."""
        listener, self._listener = self._listener, None
        if listener is None:
            return
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)  # wakes the thread in accept
        listener.close()
        with self._lock:
            for one in self._open:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:  # cut
                return
            threading.Thread(target=self._relay, args=(client,), daemon=True).start()

    def _relay(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError), socket.create_connection(self._target) as service:
            with self._lock:
                self._open |= {client, service}
            try:
                self._copy(client, service)
            finally:
                with self._lock:
                    self._open -= {client, service}

    def _loses(self, sent: bytes) -> bool:
        """Whether the answer to what a browser has `sent` is to be lost; it waits for each answer."""
        with self._lock:
            loses = self._left > 0 and self._losing is not None and self._losing.match(sent) is not None
            self._left -= loses
        return loses

    def _copy(self, client: socket.socket, service: socket.socket) -> None:
        ways = {client: service, service: client}
        loses = False
        with selectors.DefaultSelector() as selector:
            for one in ways:
                selector.register(one, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    source = key.fileobj
                    assert isinstance(source, socket.socket)
                    data = source.recv(CHUNK_BYTES)
                    if not data:
                        return
                    if source is client:
                        loses = loses or self._loses(data)
                    elif loses and END_OF_HEAD in data:
                        client.sendall(data[: data.index(END_OF_HEAD) + len(END_OF_HEAD)])
                        return
                    ways[source].sendall(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.cut()
