"""Killed workers, jobs that kill workers, a store that stops: with real processes."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import redis

from broker import JobRecord, JobStore
from broker.keys import Keys
from tests.e2e.running import RunningService
from tests.e2e.toy_repository import write_repository
from tests.servers import StoreServer

pytestmark = pytest.mark.anyio
TAKEN_UP_S = 15.0  # after the death of its worker


@pytest.fixture(scope="module")
def own_store() -> Iterator[StoreServer]:
    with StoreServer("valkey") as server:
        yield server


@pytest.fixture(scope="module")
def slow_service(own_store: StoreServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """Two workers on one core each, with a store that the tests can access and stop."""
    directory = tmp_path_factory.mktemp("failures")
    models = write_repository(directory / "models")
    variables = {
        "ATTRIBUTION_REDIS_URL": own_store.url,
        "ATTRIBUTION_THREADS": "1",
        "ATTRIBUTION_BATCH_ROWS": "16",  # tuned to passes that only sleep, jobs would be over before they are disturbed
    }
    service = RunningService(directory / "log", "--models", str(models), "--workers", "2", variables=variables)
    try:
        service.wait_until_ready()
        yield service
    finally:
        service.stop()


@pytest.fixture
async def store(own_store: StoreServer) -> AsyncIterator[JobStore]:
    store = JobStore(own_store.url)
    yield store
    await store.close()


@pytest.fixture
async def client(slow_service: RunningService) -> AsyncIterator[httpx.AsyncClient]:
    computed = {"Cache-Control": "no-store"}  # each job of these tests, however equal they are
    async with httpx.AsyncClient(base_url=slow_service.url, timeout=60, headers=computed) as client:
        yield client


def request_of(value: float = 1.0, steps: int = 20, **fields: object) -> dict[str, object]:
    return {
        "model": "slow",
        "input": {"tensor": {"shape": [1, 4], "data": [value, -1.0, 0.5, 2.0]}},
        "method": {"name": "integrated_gradients", "n_steps": steps},
        "target": 1,
        **fields,
    }


async def submit(client: httpx.AsyncClient, **options: object) -> str:
    response = await client.post("/explain", json=request_of(**options))  # type: ignore[arg-type]
    assert response.status_code == 202, response.text
    return str(response.json()["id"])


async def until(store: JobStore, job_id: str, wanted: object, timeout_s: float = 120) -> JobRecord:
    """The first record of the job for which `wanted(record)` holds."""
    async with asyncio.timeout(timeout_s), store.jobs.watch(job_id) as records:
        async for record in records:
            if wanted(record):  # type: ignore[operator]
                return record
    raise AssertionError("the job ended in another state")


async def workers(store: JobStore, count: int) -> dict[str, int]:
    """Process ids by worker, when `count` workers have registered. The registry has no events and is polled."""
    async with asyncio.timeout(60):
        while len(infos := await store.workers.live()) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    return {info.id: info.pid for info in infos}


def holder(own_store: StoreServer, job_id: str) -> str:
    """The worker that runs a job now, from the job's token."""
    with redis.Redis.from_url(own_store.url) as raw:
        token = raw.hget(Keys("attribution").job(job_id), "token")
    assert isinstance(token, bytes)
    return token.decode().rpartition(":")[0]


async def test_a_killed_workers_job_is_taken_up_and_succeeds(
    client: httpx.AsyncClient, store: JobStore, own_store: StoreServer
) -> None:
    before = await workers(store, 2)
    alone = await client.post("/explain?wait=30", json=request_of(steps=2_000))
    expected = (await client.get(alone.json()["links"]["result"])).json()["attributions"]
    job_id = await submit(client, steps=2_000)
    await until(store, job_id, lambda r: r.done > 100)
    os.kill(before[holder(own_store, job_id)], signal.SIGKILL)
    taken = await until(store, job_id, lambda r: r.attempts == 2 and r.status == "running", TAKEN_UP_S)
    assert taken.attempts == 2
    done = await until(store, job_id, lambda r: r.status in {"succeeded", "failed"})
    assert done.status == "succeeded"
    result = (await client.get(f"/jobs/{job_id}/result")).json()
    assert result["attributions"] == expected


async def test_a_job_that_kills_three_workers_is_failed_and_its_neighbours_succeed(
    client: httpx.AsyncClient, store: JobStore
) -> None:
    await workers(store, 2)
    neighbours = [await submit(client, steps=300) for _ in range(3)]
    killer = await submit(client, value=666.0)
    failed = await until(store, killer, lambda r: r.status in {"succeeded", "failed"}, 240)
    assert failed.status == "failed"
    assert failed.error is not None
    assert failed.error.code == "worker_lost"
    for job_id in neighbours:
        assert (await until(store, job_id, lambda r: r.status in {"succeeded", "failed"}, 240)).status == "succeeded"
    shown = (await client.get(f"/jobs/{killer}")).json()
    assert "3 workers died" in shown["error"]["detail"]


async def test_a_job_whose_rows_raise_fails_alone(client: httpx.AsyncClient, store: JobStore) -> None:
    await workers(store, 2)
    good = [await submit(client, value=float(k), steps=100) for k in range(4)]
    bad = await submit(client, value=13.0)
    failed = await until(store, bad, lambda r: r.status in {"succeeded", "failed"})
    assert failed.error is not None
    assert failed.error.code == "job_failed"
    assert "13" not in failed.error.detail
    for job_id in good:
        assert (await until(store, job_id, lambda r: r.status in {"succeeded", "failed"})).status == "succeeded"


async def test_cancel_stops_a_running_job(client: httpx.AsyncClient, store: JobStore) -> None:
    await workers(store, 2)
    job_id = await submit(client, steps=2_000)
    await until(store, job_id, lambda r: r.done > 0)
    cancelled = (await client.delete(f"/jobs/{job_id}")).json()
    assert cancelled["status"] == "cancelled"
    assert cancelled["progress"]["done"] < 2_000
    async with asyncio.timeout(30):  # the workers have dropped it when nothing is live
        while any(  # noqa: ASYNC110
            counters.passes.live_jobs
            for info in await store.workers.live()
            for counters in info.statistics.models.values()
            if counters.passes is not None
        ):
            await asyncio.sleep(0.1)
    assert (await client.get(f"/jobs/{job_id}/result")).status_code == 409


async def test_a_model_that_does_not_load_is_reported_and_the_other_serves(client: httpx.AsyncClient) -> None:
    models = {card["name"]: card for card in (await client.get("/models")).json()["models"]}
    assert models["slow"]["status"] == "ready"
    assert models["broken"]["status"] == "failed"
    assert "weights are missing" in models["broken"]["error"]
    refused = await client.post("/explain", json=request_of() | {"model": "broken"})
    assert refused.status_code == 503
    assert "weights are missing" in refused.json()["detail"]


async def test_the_store_goes_away_and_comes_back(
    client: httpx.AsyncClient, store: JobStore, own_store: StoreServer
) -> None:
    await workers(store, 2)
    own_store.stop()
    async with asyncio.timeout(20):
        answers = await asyncio.gather(
            client.post("/explain", json=request_of()),
            client.get("/jobs"),
            client.get("/readyz"),
            client.get("/models"),
        )
        assert [answer.status_code for answer in answers] == [503] * 4
        assert all(answer.headers["content-type"].startswith("application/problem+json") for answer in answers)
        assert (await client.get("/healthz")).status_code == 200
    own_store.restart()
    await workers(store, 2)  # by themselves
    finished = await client.post("/explain?wait=60", json=request_of())
    assert finished.status_code == 200
    assert finished.json()["status"] == "succeeded"
