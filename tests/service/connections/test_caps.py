"""Attacks by number: more connections than there are places, from one address, while health checks go on."""

from pathlib import Path

import httpx

from tests.servers import StoreServer
from tests.service.connections.gateway_process import Probes, gateway_process, response_of

CAP = 20
REQUEST = b"GET /models HTTP/1.1\r\nHost: localhost\r\n\r\n"
NEVER = {"ATTRIBUTION_HEAD_TIMEOUT_S": "600"}  # nothing but the caps ends a connection


def test_beyond_the_cap_only_health_checks_are_answered(store_server: StoreServer, tmp_path: Path) -> None:
    caps = {"ATTRIBUTION_MAX_CONNECTIONS": str(CAP), "ATTRIBUTION_MAX_CONNECTIONS_PER_ADDRESS": str(CAP)}
    with gateway_process(tmp_path / "log", store_server.url, **NEVER, **caps) as gateway:
        with Probes(gateway) as probes:
            silent = [gateway.connect() for _ in range(10 * CAP)]
            with gateway.connect() as other:
                other.sendall(REQUEST)
                refused = response_of(other)
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 1" in refused
        assert probes.seconds
        assert len(list(Path(f"/proc/{gateway.process.pid}/fd").iterdir())) < 10 * CAP
        for connection in silent:
            connection.close()
        answered = httpx.get(f"{gateway.url}/models", timeout=30, trust_env=False)
        assert answered.status_code in {200, 503}
        assert "open connections" not in answered.text


def test_one_address_has_its_own_cap(store_server: StoreServer, tmp_path: Path) -> None:
    caps = {"ATTRIBUTION_MAX_CONNECTIONS": "1000", "ATTRIBUTION_MAX_CONNECTIONS_PER_ADDRESS": str(CAP)}
    with gateway_process(tmp_path / "log", store_server.url, **NEVER, **caps) as gateway:
        silent = [gateway.connect() for _ in range(CAP)]
        with gateway.connect() as other:
            other.sendall(REQUEST)
            assert response_of(other).startswith(b"HTTP/1.1 503 ")
        for connection in silent:
            connection.close()


def test_descriptors_never_run_out(store_server: StoreServer, tmp_path: Path) -> None:
    few = ["/bin/sh", "-c", 'ulimit -n 560 && exec "$@"', "sh"]
    with gateway_process(tmp_path / "log", store_server.url, wrapper=few, **NEVER) as gateway:
        with Probes(gateway) as probes:
            silent = [gateway.connect() for _ in range(900)]
        assert probes.seconds
        for connection in silent:
            connection.close()
        assert "Too many open files" not in gateway.log.read_text()
