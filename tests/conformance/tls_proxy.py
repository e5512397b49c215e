"""A proxy that talks TLS to clients and plain HTTP to the gateway, as an operator puts before the service."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator

BUFFER_BYTES = 65_536


@contextlib.contextmanager
def tls_proxy(context: ssl.SSLContext, target: tuple[str, int]) -> Iterator[int]:
    """Forward connections to `target`; yields the port that listens on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, context, target), daemon=True).start()
        yield listener.getsockname()[1]


def _accept(listener: socket.socket, context: ssl.SSLContext, target: tuple[str, int]) -> None:
    with contextlib.suppress(OSError):  # the listener is closed at the end
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_serve, args=(client, context, target), daemon=True).start()


def _serve(client: socket.socket, context: ssl.SSLContext, target: tuple[str, int]) -> None:
    with (
        contextlib.suppress(OSError),
        client,
        context.wrap_socket(client, server_side=True) as encrypted,
        socket.create_connection(target) as plain,
    ):
        back = threading.Thread(target=_copy, args=(plain, encrypted), daemon=True)
        back.start()
        _copy(encrypted, plain)
        back.join()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(BUFFER_BYTES):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
