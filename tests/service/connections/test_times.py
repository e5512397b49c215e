"""Attacks by time: silent connections, slow heads and slow bodies, over real connections."""

import socket
import time

from tests.service.connections.gateway_process import GatewayProcess, Probes, response_of

SILENT = 300
LIMIT_S = 15.0  # in which everything here ends; the limits of the gateway are one second
HEAD = b"POST /explain HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


def test_silent_connections_are_closed_while_the_gateway_answers(gateway: GatewayProcess) -> None:
    began = time.monotonic()
    with Probes(gateway) as probes:
        silent = [gateway.connect() for _ in range(SILENT)]
        assert [response_of(connection) for connection in silent] == [b""] * SILENT
    for connection in silent:
        connection.close()
    assert time.monotonic() - began < LIMIT_S
    assert probes.median_ms() < 1000


def drip(connection: socket.socket, first: bytes) -> bytes:
    """Send a byte now and then, until the gateway closes. What it has answered."""
    connection.sendall(first)
    connection.settimeout(0.1)
    received = b""
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        try:
            part = connection.recv(65_536)
            if not part:
                return received
            received += part
        except TimeoutError:
            connection.sendall(b"a")
        except ConnectionError:
            return received
    raise AssertionError("the connection is still open")


def test_a_slow_head_is_refused(gateway: GatewayProcess) -> None:
    for first in (b"GET /healthz HTTP/1.1\r\nX: ", b"GET /"):
        with gateway.connect() as slow:
            assert drip(slow, first).startswith(b"HTTP/1.1 408 ")


def test_a_slow_second_head_is_refused(gateway: GatewayProcess) -> None:
    with gateway.connect() as slow:
        slow.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        first = b""
        while not first.endswith(b"}"):
            first += slow.recv(65_536)
        assert b" 200 OK" in first
        assert drip(slow, b"GET /healthz HTTP/1.1\r\nX: ").startswith(b"HTTP/1.1 408 ")


def test_a_slow_body_is_refused(gateway: GatewayProcess) -> None:
    for first in (b"Content-Length: 1000\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n3e8\r\n{"):
        with gateway.connect() as slow:
            assert drip(slow, HEAD + first).startswith(b"HTTP/1.1 408 ")


def test_a_slow_body_after_its_response_is_cut(gateway: GatewayProcess) -> None:
    with gateway.connect() as slow:
        response = drip(slow, b"POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n")
    assert response.startswith(b"HTTP/1.1 404 ")
