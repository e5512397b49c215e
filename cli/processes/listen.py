"""The service's listening socket, opened by the supervisor and handed to the gateway."""

import errno
import socket


class CannotListen(Exception):
    """The address is in use or does not belong to this machine. The message is for the operator."""


def listen(host: str, port: int) -> socket.socket:
    """A listening TCP socket; port 0 takes a free one.

    The socket is opened before any process starts, so that a port in use is reported at once. It stays open across a
    restart of the gateway, so that requests wait for the new gateway instead of being refused.

    Raises:
        CannotListen: see the class.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        opened = socket.socket(family, kind, protocol)
    except OSError as error:
        raise CannotListen(f"{host} is not an address of this machine: {error.strerror}") from None
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
        opened.listen(2048)
    except OSError as error:
        opened.close()
        if error.errno == errno.EADDRINUSE:
            raise CannotListen(f"port {port} on {host} is in use; choose another with --port") from None
        raise CannotListen(f"cannot listen on {host} port {port}: {error.strerror}") from None
    return opened


def bound_host(listening: socket.socket) -> str:
    """The address that the socket is bound to, from which the allowed hosts follow."""
    address = listening.getsockname()
    return str(address[0]) if isinstance(address, tuple) else "localhost"  # a Unix socket is reached from here alone


def url_of(listening: socket.socket) -> str:
    """The URL at which a client on this machine reaches the service."""
    host, port = listening.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104  # compared, not bound
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
