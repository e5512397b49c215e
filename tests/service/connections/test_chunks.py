"""Attacks by many small pieces of a body, over real connections."""

import threading

import pytest

from tests.service.connections.gateway_process import GatewayProcess, Probes, response_of

POST = b"POST /explain HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
HEAD = POST + b"Transfer-Encoding: chunked\r\n\r\n"
SENT_BYTES = 16 << 20  # of one attack
ATTACKERS = 4


def chunks(size: int, count: int) -> bytes:
    return (b"%x\r\n" % size + b" " * size + b"\r\n") * count


def attack(gateway: GatewayProcess, part: bytes) -> bytes:
    """Send one body of such chunks until the gateway closes or has read it all. The response."""
    with gateway.connect() as connection:
        try:
            connection.sendall(HEAD)
            for _ in range(SENT_BYTES // len(part)):
                connection.sendall(part)
            connection.sendall(b"0\r\n\r\n")
        except ConnectionError:
            pass
        return response_of(connection)


@pytest.mark.parametrize("size", [1, 2, 15])
def test_a_body_of_tiny_chunks_is_refused_and_stalls_nobody(gateway: GatewayProcess, size: int) -> None:
    part = chunks(size, 20_000)
    with Probes(gateway) as probes:
        attackers = [threading.Thread(target=attack, args=(gateway, part)) for _ in range(ATTACKERS)]
        for attacker in attackers:
            attacker.start()
        for attacker in attackers:
            attacker.join()
    print(f"\n/healthz took at most {probes.longest_ms():.0f} ms beside chunks of {size} bytes")
    assert probes.longest_ms() < 1000


def test_the_refusal_says_what_is_wrong(gateway: GatewayProcess) -> None:
    with gateway.connect() as connection:
        connection.sendall(HEAD + chunks(1, 1_100))
        response = response_of(connection)
    assert response.startswith(b"HTTP/1.1 413 "), response[:200]
    assert b"too many small chunks" in response


@pytest.mark.parametrize(("size", "count"), [(1, 900), (64, 5_000), (4_096, 200)], ids=["few", "small", "usual"])
def test_bodies_that_clients_send_pass(gateway: GatewayProcess, size: int, count: int) -> None:
    with gateway.connect() as connection:
        connection.sendall(POST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.sendall(chunks(size, count) + b"0\r\n\r\n")
        response = response_of(connection)
    assert response.startswith(b"HTTP/1.1 422 ") or response.startswith(b"HTTP/1.1 400 "), response[:200]
    assert b"small chunks" not in response


def test_a_body_of_tiny_segments_stalls_nobody(gateway: GatewayProcess) -> None:
    with Probes(gateway) as probes, gateway.connect() as connection:
        connection.sendall(POST + b"Content-Length: 20000\r\n\r\n")
        for _ in range(20_000):
            connection.send(b" ")
        assert connection.recv(16).startswith(b"HTTP/1.1 4")
    assert probes.longest_ms() < 1000
