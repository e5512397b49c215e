"""Clients that send several requests at once and leave: the gateway ends each request, and logs no defect."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.servers import StoreServer
from tests.service.connections.gateway_process import HEALTH, GatewayProcess, gateway_process, response_of
from tests.service.double import WorkerDouble
from tests.service.results.large import store_result
from tests.service.validation.refusals import row

PROBES = 20_000  # far more than a request takes to end: a hang


@pytest.fixture(scope="module")
def own_store() -> Iterator[StoreServer]:
    with StoreServer("valkey") as server:
        yield server


def records(gateway: GatewayProcess) -> list[dict[str, object]]:
    """The complete records of the log."""
    return [json.loads(line) for line in gateway.log.read_text().splitlines(keepends=True) if line.endswith("\n")]


def ended(gateway: GatewayProcess, route: str) -> list[dict[str, object]]:
    """The log once a request of this route has ended."""
    for _ in range(PROBES):
        with gateway.connect() as probe:  # paces this loop
            probe.sendall(HEALTH)
            response_of(probe)
        found = records(gateway)
        if any(record["event"] == "request" and record["route"] == route for record in found):
            return found
    raise AssertionError(f"no request of {route} has ended")


def pipeline(path: str, accept: str, count: int) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\n\r\n".encode() * count


@pytest.mark.parametrize("leaves", [True, False], ids=["leaves", "does not read"])
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("accept", ["application/json", "application/vnd.safetensors"])
def test_a_reader_that_is_dropped_has_left(
    own_store: StoreServer, tmp_path: Path, accept: str, count: int, leaves: bool
) -> None:
    values = np.arange(8 * 2**20, dtype=np.float32).reshape(1, -1)
    job_id, _, _ = store_result(own_store.url, "attribution", {"input": values})
    with gateway_process(tmp_path / "log", own_store.url) as gateway, gateway.connect() as reader:
        reader.sendall(pipeline(f"/jobs/{job_id}/result", accept, count))
        assert reader.recv(1) == b"H"
        if leaves:
            reader.shutdown(socket.SHUT_RDWR)
        found = ended(gateway, "/jobs/{job_id}/result")
    assert [record for record in found if record["level"] == "error"] == []
    assert [record["status"] for record in found if record["event"] == "request"] == [499]


@pytest.mark.parametrize("later", [0, 1, 5])
def test_a_waiting_request_ends_when_its_client_leaves(own_store: StoreServer, tmp_path: Path, later: int) -> None:
    worker = WorkerDouble(own_store.url, "attribution")
    body = json.dumps(row()).encode()
    head = "POST /explain?wait=60 HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    post = f"{head}Cache-Control: no-store\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    with gateway_process(tmp_path / "log", own_store.url) as gateway:
        with gateway.connect() as client:
            client.sendall(post + HEALTH * later)
            until_a_job_is_queued(gateway)
        found = ended(gateway, "/explain")
    worker.stop()
    assert [record for record in found if record["level"] == "error"] == []
    (request,) = (record for record in found if record["event"] == "request" and record["route"] == "/explain")
    assert request["status"] == 499


def until_a_job_is_queued(gateway: GatewayProcess) -> None:
    for _ in range(PROBES):
        with gateway.connect() as connection:
            connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            response = response_of(connection)
        if b"attribution_jobs_submitted_total{" in response:
            return
    raise AssertionError("no job was queued")
