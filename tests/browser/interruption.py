"""A way to the service that a test can cut and mend: a TCP relay on a loopback port of its own."""

import contextlib
import selectors
import socket
import threading
from types import TracebackType
from typing import Self

CHUNK_BYTES = 65_536
STOP_TIMEOUT_S = 10.0


class Interruption:
    """Relays every connection to `target`, until `cut`: then all break and new ones are refused. `mend` undoes that."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._address = ("127.0.0.1", 0)
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
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
            ways = {client: service, service: client}
            with self._lock:
                self._open |= ways.keys()
            try:
                self._copy(ways)
            finally:
                with self._lock:
                    self._open -= ways.keys()

    def _copy(self, ways: dict[socket.socket, socket.socket]) -> None:
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
                    ways[source].sendall(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.cut()
