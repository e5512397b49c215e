"""One seed: a fresh service, its load and its disturbances, and what became of every job."""

import asyncio
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.soak.chaos import Chaos, Disturbance
from tests.soak.client import Client
from tests.soak.cluster import Cluster
from tests.soak.footprint import Footprint, measure
from tests.soak.invariants import faults_of_deaths, faults_of_jobs
from tests.soak.oracle import Oracle
from tests.soak.plan import JobPlan, plan_jobs, sweep
from tests.soak.record import JobTrace

LEASE_MS = 2_000
SWEEPS_S = 2.0  # beyond a TTL, within which a store removes what has expired
INDEXES = 2  # of jobs, by submission and by expiry
TRIMMED_PER_JOB = 32  # expired entries of an index that each job's scripts remove, `broker.tuning.MAX_TRIMMED`


@dataclass(frozen=True)
class SoakOptions:
    """The size of one seed. Times in seconds."""

    jobs: int = 2_000
    sample: int = 200  # results compared with Captum
    disturbances: int = 16  # at most
    clients: int = 32
    gateways: int = 2
    workers: int = 3
    killers: int = 1  # inputs that kill the worker that computes them
    bound_s: float = 300.0  # within which each accepted job must end, and each try succeed
    result_ttl_s: int = 120


@dataclass
class SeedReport:
    """What one seed has shown; `faults` are the broken promises."""

    seed: int
    jobs: int
    took_s: float
    statuses: dict[str, int]
    slowest_s: float
    refusals: dict[int, int]
    cuts: int
    expired: int  # jobs to which their client came back too late
    compared: int
    worst_difference: float
    disturbances: list[Disturbance]
    worker_deaths: int
    before: Footprint
    after: Footprint
    faults: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """For one line of JSON."""
        return {
            **{name: value for name, value in vars(self).items() if name not in {"disturbances", "before", "after"}},
            "disturbances": dict(Counter(one.kind for one in self.disturbances)),
            "before": self.before.document(),
            "after": self.after.document(),
        }


async def run_seed(seed: int, options: SoakOptions, keep_logs: Path | None = None) -> SeedReport:
    """Runs one seed on a service of its own, and checks it."""
    with tempfile.TemporaryDirectory(prefix="soak-") as temporary:
        folder = keep_logs or Path(temporary)
        variables = {
            "ATTRIBUTION_RESULT_TTL_S": str(options.result_ttl_s),
            "ATTRIBUTION_LEASE_MS": str(LEASE_MS),
            "ATTRIBUTION_GRACE_S": "3",
        }
        async with Cluster(folder, gateways=options.gateways, workers=options.workers, variables=variables) as cluster:
            client = Client(cluster.urls, seed, options.bound_s, options.result_ttl_s)
            try:
                return await _checked(seed, options, cluster, client)
            finally:
                await client.close()


async def _checked(seed: int, options: SoakOptions, cluster: Cluster, client: Client) -> SeedReport:
    plans = plan_jobs(seed, options.jobs, options.killers)
    await _run_all(client, sweep(seed), options.clients)
    before = await measure(cluster)
    began_s = time.monotonic()
    chaos = Chaos(cluster, seed, options.disturbances)
    over = asyncio.Event()
    disturbing = asyncio.create_task(chaos.run(over))
    traces = await _run_all(client, plans, options.clients)
    over.set()
    await disturbing
    took_s = time.monotonic() - began_s
    await cluster.until_ready()
    comparing = asyncio.create_task(asyncio.to_thread(_compared, cluster, traces, seed, options))
    after = await _settled(client, cluster, options, seed)
    compared, worst, faults = await comparing
    faults += faults_of_jobs(traces, cluster.worker_deaths)
    faults += faults_of_deaths(cluster.deaths, options.killers)
    faults += after.faults_after(before, INDEXES * _rounds(options, seed) * len(sweep(seed)))
    faults += (f"log: {line}" for line in cluster.defects())
    return SeedReport(
        seed,
        options.jobs,
        round(took_s, 1),
        dict(Counter(trace.status for trace in traces)),
        round(max(trace.took_s for trace in traces), 1),
        dict(sum((Counter(trace.refusals) for trace in traces), Counter())),
        sum(trace.cuts for trace in traces),
        sum(trace.expired for trace in traces),
        compared,
        worst,
        chaos.done,
        len(cluster.worker_deaths),
        before,
        after,
        faults,
    )


async def _run_all(client: Client, plans: list[JobPlan], at_once: int) -> list[JobTrace]:
    """Every plan, `at_once` of them at a time."""
    places = asyncio.Semaphore(at_once)

    async def run(plan: JobPlan) -> JobTrace:
        async with places:
            trace = await client.run(plan)
        await client.look_again(trace)
        return trace

    return await asyncio.gather(*map(run, plans))


async def _settled(client: Client, cluster: Cluster, options: SoakOptions, seed: int) -> Footprint:
    """The footprint when everything of the run has expired.

    The indexes are trimmed by later jobs: a few of them run after the first expiry, and expire themselves.
    """
    await asyncio.sleep(options.result_ttl_s + SWEEPS_S)
    for _ in range(_rounds(options, seed)):
        await _run_all(client, sweep(seed), options.clients)
    await asyncio.sleep(options.result_ttl_s + SWEEPS_S)
    async with cluster.raw_store() as store:
        await store.ping()
    return await measure(cluster)


def _rounds(options: SoakOptions, seed: int) -> int:
    """How often a sweep runs, so that its jobs trim everything of the run from the indexes."""
    return 1 + options.jobs // (TRIMMED_PER_JOB * len(sweep(seed)))


def _compared(
    cluster: Cluster, traces: list[JobTrace], seed: int, options: SoakOptions
) -> tuple[int, float, list[str]]:
    return Oracle(cluster.folder / "models").worst(traces, seed, options.sample)
