"""`rediss://` with an authority of its own and a client's certificate, on a real server that demands both."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import redis
import trustme
from pydantic import ValidationError

from broker import JobStore, StoreSettings, WorkerQueue
from schemas.errors import StoreUnavailable
from tests.broker.helpers import claim_one, submit
from tests.servers import StoreServer, free_port, installed_stores

pytestmark = pytest.mark.anyio
ENCRYPTING = [kind for kind in installed_stores() if kind == "redis"]  # the wheel's Valkey is built without TLS


class Encrypted(NamedTuple):
    url: str
    ca: Path
    other_ca: Path
    client: Path
    client_key: Path


@pytest.fixture(scope="module", params=ENCRYPTING)
def encrypted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Encrypted]:
    folder = tmp_path_factory.mktemp("tls")
    authority, other = trustme.CA(), trustme.CA()
    server, client = authority.issue_cert("127.0.0.1", "localhost"), authority.issue_cert("worker")
    files = {name: folder / f"{name}.pem" for name in ("ca", "other", "server", "server_key", "client", "client_key")}
    authority.cert_pem.write_to_path(files["ca"])
    other.cert_pem.write_to_path(files["other"])
    server.cert_chain_pems[0].write_to_path(files["server"])
    server.private_key_pem.write_to_path(files["server_key"])
    client.cert_chain_pems[0].write_to_path(files["client"])
    client.private_key_pem.write_to_path(files["client_key"])
    port = free_port()
    options: dict[str, str | int] = {
        "tls-port": port,
        "tls-cert-file": str(files["server"]),
        "tls-key-file": str(files["server_key"]),
        "tls-ca-cert-file": str(files["ca"]),
        "tls-auth-clients": "yes",
    }
    with StoreServer(request.param, options=options):
        yield Encrypted(
            f"rediss://127.0.0.1:{port}/0", files["ca"], files["other"], files["client"], files["client_key"]
        )


def settings(encrypted: Encrypted, **changed: Path | None) -> StoreSettings:
    files = {"redis_ca": encrypted.ca, "redis_cert": encrypted.client, "redis_key": encrypted.client_key}
    return StoreSettings.model_validate({"redis_url": encrypted.url, **files, **changed})


async def test_a_job_over_encrypted_connections(encrypted: Encrypted, namespace: str) -> None:
    url = settings(encrypted).store_url
    store, queue = JobStore(url, namespace=namespace), WorkerQueue(url, "worker", namespace=namespace)
    try:
        job_id = await submit(store)
        async with store.jobs.watch(job_id) as records:
            await anext(records)
            assert queue.claimed_jobs.finish(claim_one(queue), b"{}", b"t")
            assert [record.status async for record in records][-1] == "succeeded"
    finally:
        await store.close()
        queue.close()


@pytest.mark.parametrize("changed", ["redis_ca", "redis_cert", "no_ca"])
async def test_without_the_right_files_there_is_no_store(encrypted: Encrypted, namespace: str, changed: str) -> None:
    """Another authority, no certificate of the client, no authority: the system knows none that signed this one."""
    files: dict[str, Path | None] = {
        "redis_ca": {"redis_ca": encrypted.other_ca},
        "redis_cert": {"redis_cert": None, "redis_key": None},
        "no_ca": {"redis_ca": None},
    }[changed]
    store = JobStore(settings(encrypted, **files).store_url, namespace=namespace)
    with pytest.raises(StoreUnavailable):
        await store.ping()
    await store.close()


async def test_a_plain_connection_is_refused(encrypted: Encrypted, namespace: str) -> None:
    store = JobStore(encrypted.url.replace("rediss", "redis"), namespace=namespace)
    with pytest.raises(StoreUnavailable):
        await store.ping()
    await store.close()


def test_the_commands_read_the_variables(encrypted: Encrypted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTRIBUTION_REDIS_URL", encrypted.url)
    monkeypatch.setenv("ATTRIBUTION_REDIS_CA", str(encrypted.ca))
    monkeypatch.setenv("ATTRIBUTION_REDIS_CERT", str(encrypted.client))
    monkeypatch.setenv("ATTRIBUTION_REDIS_KEY", str(encrypted.client_key))
    done = subprocess.run(
        [sys.executable, "-P", "-m", "cli", "worker", "--health"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "no heartbeat" in done.stderr


def test_files_that_do_not_fit_stop_the_start(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="redis_ca"):
        StoreSettings.model_validate({"redis_url": "rediss://store", "redis_ca": tmp_path / "absent.pem"})
    file = tmp_path / "ca.pem"
    file.touch()
    with pytest.raises(ValidationError, match="rediss://"):
        StoreSettings.model_validate({"redis_url": "redis://store", "redis_ca": file})
    assert StoreSettings.model_validate({"redis_url": "redis://store", "redis_ca": ""}).store_url == "redis://store"


def test_a_cluster_is_refused_with_the_reason() -> None:
    with StoreServer(options={"cluster-enabled": "yes"}) as cluster:
        for command in (["gateway", "--port", "0"], ["worker", "--models", "models"]):
            done = subprocess.run(
                [sys.executable, "-P", "-m", "cli", *command],
                env=clean_environment() | {"ATTRIBUTION_REDIS_URL": cluster.url},
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            assert done.returncode == 2
            assert "Redis Cluster" in done.stderr
        with redis.Redis.from_url(cluster.url) as client:
            assert client.dbsize() == 0


def clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("ATTRIBUTION_")}
