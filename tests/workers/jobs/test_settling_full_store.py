"""A result that finds the store out of memory is stored once there is room."""

import threading
from typing import Any

import pytest
import redis

from broker import JobStore, WorkerQueue
from tests.servers import StoreServer
from tests.workers.jobs.test_settling import claims, status
from workers.jobs.settling import Settling
from workers.jobs.single import run_single
from workers.models.resident import ResidentModel

pytestmark = pytest.mark.anyio


async def test_a_result_is_stored_when_there_is_room_again(
    namespace: str, model: ResidentModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    with StoreServer("valkey") as server, redis.Redis.from_url(server.url) as raw:
        store = JobStore(server.url, namespace=namespace)
        queue = WorkerQueue(server.url, "worker-1", namespace=namespace, lease_ms=60_000)
        jobs = await claims(store, queue, 2)
        results = [run_single(model, job) for job in jobs]
        raw.config_set("maxmemory-policy", "noeviction")
        raw.config_set("maxmemory", "1")
        refused = threading.Event()
        finish_all = queue.claimed_jobs.finish_all

        def finish(finished: Any) -> Any:
            outcomes = finish_all(finished)
            if True not in outcomes:
                raw.config_set("maxmemory", "0")
                refused.set()
            return outcomes

        monkeypatch.setattr(queue.claimed_jobs, "finish_all", finish)
        settling = Settling(queue.claimed_jobs)
        settling.settle(results)
        assert refused.is_set()
        assert [await status(store, job) for job in jobs] == ["succeeded", "succeeded"]
        await store.close()
        queue.close()
