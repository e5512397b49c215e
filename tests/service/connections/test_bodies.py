"""Attacks by the sum of bodies: each is allowed, all together are not."""

import contextlib
import json
import selectors
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.servers import StoreServer
from tests.service.connections.gateway_process import TIMEOUT_S, Probes, gateway_process, response_of
from tests.service.double import WorkerDouble
from tests.service.validation.refusals import row

BODY_BYTES = 1 << 20
ALL_BYTES = 8 << 20
VARIABLES = {
    "ATTRIBUTION_MAX_BODY_BYTES": str(BODY_BYTES),
    "ATTRIBUTION_BODIES_BYTES": "8MiB",
    "ATTRIBUTION_BODY_GRACE_S": "600",  # nothing but the sum ends a body
}
HEAD = (
    b"POST /explain?wait=60 HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/json\r\nCache-Control: no-store\r\n"
)
ATTACKERS = 128  # their bodies are 16 times what is allowed: the noise of the allocator is a small part


@pytest.fixture
def own_store() -> Iterator[StoreServer]:
    with StoreServer("valkey") as server:
        yield server


def padded(size: int) -> bytes:
    return json.dumps(row()).encode().ljust(size)


def post(size: int, sent: int) -> bytes:
    return HEAD + b"Content-Length: %d\r\n\r\n" % size + padded(size)[:sent]


def first_answers(connections: list[socket.socket], count: int) -> list[bytes]:
    """What the first `count` connections that get an answer receive: bodies may arrive in any order.

    Nothing, where the connection was closed while the client still sent.
    """
    received: list[bytes] = []
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            selector.register(connection, selectors.EVENT_READ, connection)
        while len(received) < count:
            ready = selector.select(TIMEOUT_S)
            assert ready, f"{len(received)} of {count} were answered"
            for key, _ in ready:
                selector.unregister(key.fileobj)
                try:
                    received.append(key.data.recv(65_536))
                except ConnectionError:
                    received.append(b"")
    return received


def test_bodies_that_never_end_keep_nobody_out(own_store: StoreServer, tmp_path: Path) -> None:
    with gateway_process(tmp_path / "log", own_store.url, **VARIABLES) as gateway:
        before = gateway.resident_mib()
        with Probes(gateway) as probes:
            attackers = [gateway.connect() for _ in range(ATTACKERS)]
            for attacker in attackers:
                with contextlib.suppress(ConnectionError):  # it may be displaced before it has sent all
                    attacker.sendall(post(BODY_BYTES, BODY_BYTES - 1))
            displaced = [
                answer for answer in first_answers(attackers, ATTACKERS - 2 * ALL_BYTES // BODY_BYTES) if answer
            ]
            answer = httpx.post(
                f"{gateway.url}/explain", content=padded(BODY_BYTES // 2), timeout=TIMEOUT_S, trust_env=False,
                headers={"Content-Type": "application/json"},
            )  # fmt: skip
            grown = gateway.resident_mib() - before
        for attacker in attackers:
            attacker.close()
        print(f"\n{ATTACKERS} bodies of 1 MiB raised the gateway by {grown:.0f} MiB; {probes.longest_ms():.0f} ms")
    assert len(displaced) > ATTACKERS // 2
    assert {response[:12] for response in displaced} == {b"HTTP/1.1 503"}
    assert all(b"retry-after: 5" in response for response in displaced)
    assert "memory for request bodies" not in answer.text
    assert grown < ATTACKERS / 2
    assert '"error"' not in (tmp_path / "log").read_text()


def test_requests_that_wait_hold_their_bodies(own_store: StoreServer, tmp_path: Path) -> None:
    worker = WorkerDouble(own_store.url, "attribution")
    with gateway_process(tmp_path / "log", own_store.url, **VARIABLES) as gateway:
        waiting = [gateway.connect() for _ in range(ALL_BYTES // BODY_BYTES)]
        for connection in waiting:
            connection.sendall(post(BODY_BYTES, BODY_BYTES))
        while len(httpx.get(f"{gateway.url}/jobs", trust_env=False).json()["jobs"]) < len(waiting):
            pass
        with gateway.connect() as other:
            other.sendall(post(2_000, 2_000).replace(b"HTTP/1.1\r\n", b"HTTP/1.1\r\nConnection: close\r\n"))
            refused = response_of(other)
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b"memory for request bodies" in refused
        for connection in waiting:
            connection.close()
        url = f"{gateway.url}/explain"
        while (answer := httpx.post(url, json=row(), trust_env=False, timeout=TIMEOUT_S)).status_code == 503:
            pass
    worker.stop()
    assert answer.status_code == 202
    assert '"error"' not in (tmp_path / "log").read_text()


def test_a_body_beside_a_streamed_response_is_no_defect(own_store: StoreServer, tmp_path: Path) -> None:
    worker = WorkerDouble(own_store.url, "attribution")
    with gateway_process(tmp_path / "log", own_store.url, **VARIABLES) as gateway:
        job = httpx.post(f"{gateway.url}/explain", json=row(), trust_env=False, timeout=TIMEOUT_S).json()["id"]
        head = f"GET /jobs/{job}/events HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        with gateway.connect() as connection:
            connection.sendall(head)
            assert connection.recv(1) == b"H"
            try:
                for _ in range(4 * BODY_BYTES // 65_536):
                    connection.sendall(b"10000\r\n" + b" " * 65_536 + b"\r\n")
            except ConnectionError:
                pass
            response_of(connection)
    worker.stop()
    assert '"error"' not in (tmp_path / "log").read_text()
