"""The command of the chart's own Valkey, run with a real one."""

import os
import subprocess
from pathlib import Path

import pytest
import redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from tests.deploy.chart import EXAMPLES, containers, of_example, of_kind
from tests.servers import free_port, store_binary

PASSWORD = EXAMPLES["trying-out"]["valkey"]["password"]


def test_the_server_starts_as_the_container_starts_it(tmp_path: Path) -> None:
    found = of_example("trying-out")
    (store,) = [one for one in containers(found) if one.spec["name"] == "store"]
    config = of_kind(found, "ConfigMap")["attribution-store"]["data"]["store.conf"]
    assert of_kind(found, "Secret")["attribution-store"]["stringData"] == {"password": PASSWORD}
    port = free_port()
    (tmp_path / "store.conf").write_text(config.replace("dir /data", f"dir {tmp_path}\nport {port}\nbind 127.0.0.1"))
    binary = store_binary("valkey")
    assert binary
    (tmp_path / "valkey-server").symlink_to(binary)
    (script,) = store.spec["args"]
    process = subprocess.Popen(
        [*store.spec["command"], script.replace("/etc/attribution", str(tmp_path))],
        env={"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "STORE_PASSWORD": PASSWORD},
        stdout=subprocess.DEVNULL,
    )
    try:
        patient = Retry(ExponentialBackoff(cap=0.2, base=0.01), 100)
        with redis.Redis(port=port, password=PASSWORD, retry=patient, decode_responses=True) as client:
            assert client.ping()
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            assert client.config_get("appendonly") == {"appendonly": "yes"}
        with redis.Redis(port=port) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
        assert PASSWORD not in Path(f"/proc/{process.pid}/cmdline").read_text()
        assert "valkey-server" in Path(f"/proc/{process.pid}/cmdline").read_text()  # it receives the pod's signals
    finally:
        process.terminate()
        assert process.wait(20) == 0
