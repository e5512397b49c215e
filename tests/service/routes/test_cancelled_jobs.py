"""The lifetime of a cancelled job."""

import pytest
import redis

from service.settings import GatewaySettings
from tests.servers import StoreServer
from tests.service.conftest import client_of
from tests.service.double import WorkerDouble
from tests.service.validation.refusals import row


@pytest.mark.anyio
@pytest.mark.usefixtures("idle_worker")
@pytest.mark.parametrize("kept_s", [50, 100_000])
async def test_a_cancelled_job_is_kept_like_any_other(store_server: StoreServer, namespace: str, kept_s: int) -> None:
    settings = GatewaySettings(redis_url=store_server.url, namespace=namespace, result_ttl_s=kept_s)
    async with client_of(None, settings) as client:
        job = (await client.post("/explain", json=row())).json()
        assert (await client.delete(f"/jobs/{job['id']}")).json()["status"] == "cancelled"
    with redis.Redis.from_url(store_server.url) as raw:
        assert kept_s - 30 < raw.ttl(f"{namespace}:job:{job['id']}") <= kept_s


@pytest.mark.anyio
async def test_a_job_cancelled_while_it_runs(
    store_server: StoreServer, namespace: str, idle_worker: WorkerDouble
) -> None:
    idle_worker.gate.clear()
    idle_worker.start()
    settings = GatewaySettings(redis_url=store_server.url, namespace=namespace, result_ttl_s=77)
    async with client_of(None, settings) as client:
        job = (await client.post("/explain", json=row())).json()
        assert idle_worker.claimed.wait(10)
        await client.delete(f"/jobs/{job['id']}")
    with redis.Redis.from_url(store_server.url) as raw:
        assert 0 < raw.ttl(f"{namespace}:job:{job['id']}") <= 77
