"""What clients that wait, send or read get from a gateway that is told to stop, and what its log says."""

import json
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.servers import StoreServer
from tests.service.connections.gateway_process import TIMEOUT_S, GatewayProcess, gateway_process, response_of
from tests.service.double import WorkerDouble
from tests.service.results.large import store_result
from tests.service.validation.refusals import row

PATIENT = {"ATTRIBUTION_BODY_GRACE_S": "600", "ATTRIBUTION_WRITE_TIMEOUT_S": "600", "ATTRIBUTION_HEAD_TIMEOUT_S": "600"}
WAITING = 20


def post(query: str, body: bytes, declared: int | None = None) -> bytes:
    length = len(body) if declared is None else declared
    head = f"POST /explain{query} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Cache-Control: no-store\r\nContent-Length: {length}\r\n\r\n".encode() + body


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def answers(connections: list[socket.socket]) -> list[bytes]:
    """All that each connection still sends, read at the same time."""
    received: list[bytes] = [b""] * len(connections)

    def read(number: int) -> None:
        received[number] = response_of(connections[number])

    threads = [threading.Thread(target=read, args=(number,)) for number in range(len(connections))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return received


def until_queued(gateway: GatewayProcess, count: int) -> None:
    """Return once so many jobs are queued."""
    while True:
        with gateway.connect() as connection:
            connection.sendall(get("/jobs?limit=100").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            listed = json.loads(response_of(connection).partition(b"\r\n\r\n")[2])
        if len(listed["jobs"]) >= count:
            return


def problems_in(log: Path) -> list[str]:
    """Lines that report a defect, or that are no record at all, such as those of a traceback."""
    lines = log.read_text().splitlines()
    return [line for line in lines if not line.startswith("{") or json.loads(line)["level"] == "error"]


@pytest.fixture
def own_store() -> Iterator[StoreServer]:
    with StoreServer("valkey") as server:
        yield server


def test_a_stop_answers_those_that_wait_and_drops_the_rest(own_store: StoreServer, tmp_path: Path) -> None:
    worker = WorkerDouble(own_store.url, "attribution")
    values = np.arange(8 * 2**20, dtype=np.float32).reshape(1, -1)
    large, _, _ = store_result(own_store.url, "attribution", {"input": values})
    body = json.dumps(row()).encode()
    log = tmp_path / "log"
    with gateway_process(log, own_store.url, **PATIENT) as gateway:
        waiting = [gateway.connect() for _ in range(WAITING)]
        for connection in waiting:
            connection.sendall(post("?wait=60", body))
        until_queued(gateway, WAITING)
        others = {
            "silent": b"",
            "half a head": get("/healthz")[:20],
            "half a body": post("?wait=60", body, len(body) + 1),
            "unread": get(f"/jobs/{large}/result"),
            "pipeline": get(f"/jobs/{large}/result") + post("?wait=60", body) * 2,
        }
        rude = {name: gateway.connect() for name in others}
        for name, sent in others.items():
            rude[name].sendall(sent)
        for name in ("unread", "pipeline"):  # its response has begun
            assert rude[name].recv(1) == b"H"
        gateway.process.send_signal(signal.SIGTERM)
        received = answers(waiting)
        gateway.process.wait(TIMEOUT_S)
        for connection in [*waiting, *rude.values()]:
            connection.close()
    worker.stop()
    assert [response[:12] for response in received] == [b"HTTP/1.1 202"] * WAITING
    assert all(b"\r\nlocation: /jobs/" in response for response in received)
    assert problems_in(log) == []
