"""The limit on request bodies over a real connection."""

import socket
from collections.abc import Iterator

import httpx

from tests.service.double import WorkerDouble


def test_bodies_are_bounded_on_the_wire(served: tuple[httpx.Client, WorkerDouble]) -> None:
    client, _ = served
    port = client.base_url.port
    assert port is not None
    with socket.create_connection(("127.0.0.1", port), timeout=10) as rude:
        rude.sendall(
            b"POST /explain HTTP/1.1\r\nHost: [::1]\r\nContent-Type: application/json\r\nContent-Length: 100001\r\n\r\n"
        )
        response = rude.makefile("rb").read()  # refused before a byte of the body, and closed
    assert response.startswith(b"HTTP/1.1 413 ")
    assert b"application/problem+json" in response

    def endless() -> Iterator[bytes]:
        for _ in range(10_000):
            yield b" " * 10_000

    try:
        refused = client.post("/explain", content=endless(), headers={"Content-Type": "application/json"})
        assert refused.status_code == 413
    except httpx.WriteError:
        pass  # the server closed while the client was still sending
    assert client.get("/healthz").status_code == 200
