"""Attacks by size: endless headers, URLs, trailers, chunk extensions and pipelines, over real connections."""

import socket
from collections.abc import Callable

import pytest

from tests.service.connections.gateway_process import GatewayProcess, Probes, response_of

SENT_BYTES = 64 << 20  # of an endless attack, far beyond any limit
PART = b"a" * 65_536
HEAD = b"POST /explain HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


def flood(gateway: GatewayProcess, first: bytes, part: bytes = PART) -> bytes:
    """Send `first`, then `part` until the gateway closes. The response."""
    with gateway.connect() as connection:
        sent = 0
        try:
            connection.sendall(first)
            while sent < SENT_BYTES:
                connection.sendall(part)
                sent += len(part)
        except ConnectionError:
            pass
        assert sent < SENT_BYTES, "the gateway has read it all"
        return response_of(connection)


def test_an_endless_header_is_refused_and_stalls_nobody(gateway: GatewayProcess) -> None:
    with Probes(gateway) as probes:
        for _ in range(5):
            flood(gateway, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Endless: ")
    print(f"\n/healthz took {probes.median_ms():.1f} ms (median of {len(probes.seconds)}) beside an endless header")
    assert probes.median_ms() < 1000


def one_message(gateway: GatewayProcess, message: bytes) -> bytes:
    with gateway.connect() as connection:
        connection.sendall(message)
        return response_of(connection)


@pytest.mark.parametrize(
    ("message", "status"),
    [
        (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"a" * 40_000, 431),
        (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"a" * 40_000, 431),
        (b"GET /healthz HTTP/1.1\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(101)) + b"\r\n", 431),
        (b"GET /healthz HTTP/1.1\r\n" + (b"X: " + b"a" * 4_000 + b"\r\n") * 9 + b"\r\n", 431),
        (b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
        (b"GET /healthz?" + b"a" * 9_000, 414),
        (b"GET /healthz?a=" + b"%41" * 3_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"\r\n" * 20_000, 431),
        (b"G" * 40_000, 400),
        (b"GET /healthz HTTP/1.1\r\nHost : localhost\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"a" * 60_000, 431),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 20 + b"\r\n", 400),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n0\r\nX-Trailer: " + b"a" * 60_000, 431),
    ],
    ids=[
        "long value", "long name", "many", "large together", "long path", "endless query", "escapes", "empty lines",
        "no method", "space before the colon", "two lengths", "chunk extension", "chunk size", "trailer",
    ],
)  # fmt: skip
def test_the_status_says_what_is_too_large(gateway: GatewayProcess, message: bytes, status: int) -> None:
    response = one_message(gateway, message)
    assert response.startswith(b"HTTP/1.1 %d " % status), response[:200]
    assert b"application/problem+json" in response
    assert b"connection: close" in response.lower()


@pytest.mark.parametrize(
    "first",
    [
        b"GET /",
        b"GET /healthz HTTP/1.1\r\nX: ",
        b"GET /healthz HTTP/1.1\r\nX",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n0\r\nX: ",
    ],
)
def test_what_never_ends_is_cut(gateway: GatewayProcess, first: bytes) -> None:
    before = gateway.resident_mib()
    flood(gateway, first)
    assert gateway.resident_mib() - before < 16


def test_a_body_that_nobody_reads_is_cut(gateway: GatewayProcess) -> None:
    chunk = b"10000\r\n" + PART + b"\r\n"
    response = flood(gateway, b"POST /nowhere HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", chunk)
    assert not response or response.startswith(b"HTTP/1.1 404 ")


def test_a_pipeline_is_bounded(gateway: GatewayProcess) -> None:
    request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    last = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    assert one_message(gateway, request * 3 + last).count(b" 200 OK") == 4
    assert one_message(gateway, request * 5_000).count(b" 200 OK") < 5_000


def test_a_trailer_changes_no_header(gateway: GatewayProcess) -> None:
    def id_of(message: Callable[[bytes], bytes]) -> bytes:
        sent = b"POST /nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        return one_message(gateway, message(sent))

    assert b"x-request-id: chosen" not in id_of(lambda head: head + b"1\r\na\r\n0\r\nX-Request-Id: chosen\r\n\r\n")


def test_ordinary_requests_pass(gateway: GatewayProcess) -> None:
    headers = b"".join(b"X-%d: %s\r\n" % (n, b"v" * 300) for n in range(90))
    message = b"GET /healthz?q=" + b"a" * 8_000 + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    assert b" 200 OK" in one_message(gateway, message + b"\r\n")
    message = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + headers + b"\r\n"
    assert b" 200 OK" in one_message(gateway, message)
    with gateway.connect() as slow:  # in small parts
        slow.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in message:
            slow.sendall(bytes([byte]))
        assert b" 200 OK" in response_of(slow)
