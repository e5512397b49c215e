"""Readers of a 107 MiB result that do not read: what they make the gateway hold, and for how long."""

import socket
import time
from collections.abc import Iterator

import numpy as np
import pytest

from tests.servers import StoreServer
from tests.service.connections.gateway_process import GatewayProcess, Probes, gateway_process, response_of
from tests.service.results.large import store_result

ELEMENTS = 107 * 2**20 // 4
RESULT_MIB = 107
READERS = 6
LIMIT_S = 60.0
FORMATS = ("application/vnd.safetensors", "application/x-npy", "application/json")


@pytest.fixture(scope="module")
def large_store() -> Iterator[StoreServer]:
    with StoreServer("valkey") as server:
        yield server


def request(connection: socket.socket, job_id: str, accept: str) -> None:
    head = f"GET /jobs/{job_id}/result HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\nConnection: close\r\n\r\n"
    connection.sendall(head.encode())


@pytest.mark.parametrize("accept", FORMATS)
def test_readers_that_do_not_read_hold_no_copy_and_are_dropped(
    large_store: StoreServer, tmp_path_factory: pytest.TempPathFactory, accept: str
) -> None:
    values = np.arange(ELEMENTS, dtype=np.float32).reshape(1, -1)
    job_id, _, _ = store_result(large_store.url, "attribution", {"input": values})
    log = tmp_path_factory.mktemp("gateway") / "log"
    with gateway_process(log, large_store.url) as gateway:
        before = gateway.resident_mib()
        with Probes(gateway) as probes:
            readers = [gateway.connect() for _ in range(READERS)]
            for reader in readers:
                request(reader, job_id, accept)
            most = _most_memory_until_dropped(gateway)
        received = [len(response_of(reader)) for reader in readers]
        for reader in readers:
            reader.close()
        print(f"\n{accept}: {READERS} readers raised the gateway by {most - before:.0f} MiB")
        assert most - before < RESULT_MIB / 2
        assert max(received) < RESULT_MIB << 20
        assert probes.median_ms() < 1000


def _most_memory_until_dropped(gateway: GatewayProcess) -> float:
    """The most memory that the gateway takes until it has dropped every reader."""
    most, deadline = 0.0, time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        most = max(most, gateway.resident_mib())
        with gateway.connect() as probe:  # paces this loop
            probe.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            response_of(probe)
        if sum(int(line.partition('"slow_reader": ')[2].split(",")[0]) for line in _drops(gateway)) >= READERS:
            return most
    raise AssertionError("a reader still has its connection")


def _drops(gateway: GatewayProcess) -> list[str]:
    return [line for line in gateway.log.read_text().splitlines() if '"slow_reader": ' in line]


def test_a_reader_gets_all_of_it(large_store: StoreServer, tmp_path_factory: pytest.TempPathFactory) -> None:
    values = np.arange(ELEMENTS, dtype=np.float32).reshape(1, -1)
    job_id, _, tensors = store_result(large_store.url, "attribution", {"input": values})
    with gateway_process(tmp_path_factory.mktemp("gateway") / "log", large_store.url) as gateway:
        before = gateway.resident_mib()
        with gateway.connect() as reader:
            request(reader, job_id, FORMATS[0])
            assert response_of(reader).endswith(tensors)
        assert gateway.resident_mib() - before < RESULT_MIB / 2
