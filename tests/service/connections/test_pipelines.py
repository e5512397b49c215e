"""Clients that send several requests at once and leave: the gateway ends each request, and logs no defect."""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from tests.servers import StoreServer
from tests.service.connections.gateway_process import HEALTH, TIMEOUT_S, GatewayProcess, gateway_process
from tests.service.double import WorkerDouble
from tests.service.results.large import store_result
from tests.service.validation.refusals import row

POLL_S = 0.02


@pytest.fixture(scope="module")
def own_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[GatewayProcess, StoreServer]]:
    """One gateway for all of them, and its store, in which no other test counts jobs."""
    log: Path = tmp_path_factory.mktemp("pipelines") / "log"
    with StoreServer("valkey") as store, gateway_process(log, store.url) as gateway:
        yield gateway, store


Record = dict[str, object]


def records(gateway: GatewayProcess) -> list[Record]:
    """The complete records of the log."""
    return [json.loads(line) for line in gateway.log.read_text().splitlines(keepends=True) if line.endswith("\n")]


def ended(gateway: GatewayProcess, route: str, before: int) -> tuple[list[Record], list[Record]]:
    """The requests of this route that have ended, and the errors, after the first `before` records of the log."""
    deadline_s = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline_s:
        found = records(gateway)[before:]
        if requests := [one for one in found if one["event"] == "request" and one["route"] == route]:
            return requests, [one for one in found if one["level"] == "error"]
        time.sleep(POLL_S)  # another process sends no events here
    raise AssertionError(f"no request of {route} has ended")


def pipeline(path: str, accept: str, count: int) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\n\r\n".encode() * count


@pytest.mark.parametrize("leaves", [True, False], ids=["leaves", "does not read"])
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("accept", ["application/json", "application/vnd.safetensors"])
def test_a_reader_that_is_dropped_has_left(
    own_gateway: tuple[GatewayProcess, StoreServer], accept: str, count: int, leaves: bool
) -> None:
    gateway, store = own_gateway
    values = np.arange(8 * 2**20, dtype=np.float32).reshape(1, -1)
    job_id, _, _ = store_result(store.url, "attribution", {"input": values})
    before = len(records(gateway))
    with gateway.connect() as reader:
        reader.sendall(pipeline(f"/jobs/{job_id}/result", accept, count))
        assert reader.recv(1) == b"H"
        if leaves:
            reader.shutdown(socket.SHUT_RDWR)
        requests, errors = ended(gateway, "/jobs/{job_id}/result", before)
    assert errors == []
    assert [request["status"] for request in requests] == [499]


@pytest.mark.parametrize("later", [0, 1, 5])
def test_a_waiting_request_ends_when_its_client_leaves(
    own_gateway: tuple[GatewayProcess, StoreServer], later: int
) -> None:
    gateway, store = own_gateway
    worker = WorkerDouble(store.url, "attribution")
    body = json.dumps(row()).encode()
    head = "POST /explain?wait=60 HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    post = f"{head}Cache-Control: no-store\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    before, submitted = len(records(gateway)), submissions(gateway)
    with gateway.connect() as client:
        client.sendall(post + HEALTH * later)
        deadline_s = time.monotonic() + TIMEOUT_S
        while submissions(gateway) == submitted:
            assert time.monotonic() < deadline_s, "no job was queued"
            time.sleep(POLL_S)
    requests, errors = ended(gateway, "/explain", before)
    worker.stop()
    assert errors == []
    assert [request["status"] for request in requests] == [499]


def submissions(gateway: GatewayProcess) -> float:
    """How many jobs were queued so far, by the gateway's metrics."""
    lines = httpx.get(f"{gateway.url}/metrics", timeout=TIMEOUT_S, trust_env=False).text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("attribution_jobs_submitted_total{"))
