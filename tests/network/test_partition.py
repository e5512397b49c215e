"""Gateways and workers on hosts of their own, some milliseconds apart, of which one loses the store for 20 s."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from broker import JobStore
from broker.records import WorkerInfo
from tests.e2e.toy_repository import write_slow
from tests.eventually import until
from tests.network.hosts import Hosts, hosts, reason_against
from tests.soak.client import Client
from tests.soak.cluster import Cluster
from tests.soak.invariants import faults_of_deaths, faults_of_jobs
from tests.soak.keeper import Keeper
from tests.soak.oracle import Oracle
from tests.soak.plan import plan_jobs
from tests.soak.record import JobTrace

REASON = reason_against()
pytestmark = [
    pytest.mark.anyio,
    pytest.mark.long,
    pytest.mark.skipif(REASON is not None, reason=str(REASON)),
]
DELAY_S = 0.005  # one way, as between two zones of a region at the most
PARTED_S = 20.0
LEASE_S = 2.0
LIMIT_S = 120.0  # that tells a hang
JOBS, CLIENTS, SAMPLE = 120, 8, 40
NAMES = ("store", "gateway-0", "gateway-1", "worker-0", "worker-1")
VARIABLES = {
    "ATTRIBUTION_LEASE_MS": str(int(1000 * LEASE_S)),
    "ATTRIBUTION_RESULT_TTL_S": "3600",
    "ATTRIBUTION_LOG_LEVEL": "info",
}
LONG: dict[str, Any] = {  # some 20 ms for each pass of 32 rows
    "model": "slow",
    "input": {"tensor": {"shape": [1, 4], "data": [1.0, -1.0, 0.5, 2.0]}},
    "method": {"name": "integrated_gradients", "n_steps": 2000},
    "target": 1,
}
FRESH = {"Cache-Control": "no-store"}


@pytest.fixture
def made() -> Iterator[Hosts]:
    with hosts(NAMES, DELAY_S) as found:
        yield found


@asynccontextmanager
async def cluster_on(made: Hosts, folder: Path) -> AsyncIterator[Cluster]:
    places = {name: made.place(name) for name in NAMES}
    cluster = Cluster(folder, gateways=2, workers=2, variables=VARIABLES, places=places)
    write_slow(folder / "models")
    async with cluster:
        yield cluster


def logged(keeper: Keeper, event: str) -> list[dict[str, Any]]:
    """The log's lines of one event."""
    lines = [orjson.loads(line) for line in keeper.log.read_bytes().splitlines() if line.startswith(b"{")]
    return [line for line in lines if line.get("event") == event]


async def live(cluster: Cluster) -> dict[int, WorkerInfo]:
    """The workers that the store knows, by their process ids."""
    store = JobStore(cluster.store_url)
    try:
        return {info.pid: info for info in await store.workers.live()}
    finally:
        await store.close()


async def load(cluster: Cluster, seed: int) -> list[JobTrace]:
    """Mixed jobs of clients that never give up."""
    client = Client(cluster.urls, seed, LIMIT_S, kept_s=3600)
    places = asyncio.Semaphore(CLIENTS)

    async def run(plan: Any) -> JobTrace:
        async with places:
            trace = await client.run(plan)
        await client.look_again(trace)
        return trace

    try:
        return await asyncio.gather(*(run(plan) for plan in plan_jobs(seed, JOBS, kills=0)))
    finally:
        await client.close()


def faults(cluster: Cluster, traces: list[JobTrace], seed: int) -> list[str]:
    """Broken promises of the jobs and the processes, and results that are not Captum's."""
    compared, _, found = Oracle(cluster.folder / "models").worst(traces, seed, SAMPLE)
    assert compared == SAMPLE
    return [*found, *faults_of_jobs(traces, []), *faults_of_deaths(cluster.deaths, killers=0), *cluster.defects()]


async def submit_long(client: httpx.AsyncClient, count: int) -> list[str]:
    """The ids of so many jobs, which take half a minute together."""
    sent = [await client.post("/explain", json=LONG, headers=FRESH) for _ in range(count)]
    assert {one.status_code for one in sent} == {httpx.codes.ACCEPTED}
    return [one.json()["id"] for one in sent]


async def statuses(client: httpx.AsyncClient, ids: list[str]) -> Counter[str]:
    return Counter([(await client.get(f"/jobs/{one}")).json()["status"] for one in ids])


def jobs_of(keeper: Keeper, *events: str) -> set[str]:
    return {line["job"] for event in events for line in logged(keeper, event)}


async def test_a_worker_that_loses_the_store_loses_its_jobs_and_comes_back(made: Hosts, tmp_path: Path) -> None:
    async with (
        cluster_on(made, tmp_path / "service") as cluster,
        httpx.AsyncClient(base_url=cluster.urls[0], timeout=60, trust_env=False) as client,
    ):
        lost, other = cluster.workers
        pid = lost.pid

        async def computes() -> bool:
            known = (await live(cluster))[pid or 0].statistics.models
            return any(model.passes is not None and model.passes.live_jobs for model in known.values())

        async def is_known() -> bool:
            return pid in await live(cluster)

        jobs = await submit_long(client, 24)
        loading = asyncio.create_task(load(cluster, 1))
        await until("the first worker computes", computes)
        made.part("worker-0", "store")
        await asyncio.sleep(PARTED_S)
        assert not await is_known(), "its registration has expired"
        made.join("worker-0", "store")
        await until("every job ends", partial(all_ended, client, jobs))
        assert await statuses(client, jobs) == {"succeeded": len(jobs)}
        await until("the worker is back", is_known)
        fenced = jobs_of(lost, "result not stored", "job stopped")
        assert fenced
        assert fenced <= jobs_of(other, "job_taken_over"), "each was started again by the other"
        assert not fenced & jobs_of(lost, "job succeeded")
        assert faults(cluster, await loading, 1) == []
        before = len(jobs_of(lost, "job succeeded"))
        await load(cluster, 2)
        assert len(jobs_of(lost, "job succeeded")) > before, "it takes jobs again"


async def all_ended(client: httpx.AsyncClient, jobs: list[str]) -> bool:
    return set(await statuses(client, jobs)) <= {"succeeded", "failed", "cancelled"}


async def test_a_gateway_that_loses_the_store_says_so_and_the_other_goes_on(made: Hosts, tmp_path: Path) -> None:
    async with (
        cluster_on(made, tmp_path / "service") as cluster,
        httpx.AsyncClient(base_url=cluster.urls[0], timeout=60, trust_env=False) as alone,
        httpx.AsyncClient(base_url=cluster.urls[1], timeout=60, trust_env=False) as joined,
    ):
        (job,) = await submit_long(alone, 1)
        loading = asyncio.create_task(load(cluster, 3))
        made.part("gateway-0", "store")
        ends = asyncio.get_running_loop().time() + PARTED_S
        refused = await alone.post("/explain", json=LONG, headers=FRESH)
        assert refused.status_code == httpx.codes.SERVICE_UNAVAILABLE
        assert "retry-after" in refused.headers
        assert (await alone.get("/healthz")).status_code == httpx.codes.OK
        assert (await alone.get("/readyz")).status_code == httpx.codes.SERVICE_UNAVAILABLE
        assert (await joined.get(f"/jobs/{job}")).status_code == httpx.codes.OK
        await submit_long(joined, 1)
        await asyncio.sleep(ends - asyncio.get_running_loop().time())
        made.join("gateway-0", "store")

        async def is_ready() -> bool:
            return (await alone.get("/readyz")).status_code == httpx.codes.OK

        await until("the gateway is back", is_ready)
        assert (await alone.get(f"/jobs/{job}", params={"wait": 60})).json()["status"] == "succeeded"
        assert faults(cluster, await loading, 3) == []
