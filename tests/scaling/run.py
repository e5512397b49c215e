"""Two bursts of jobs on a service without workers, which a controller starts and stops as KEDA would."""

import asyncio
import re
import signal
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson

from tests.e2e.toy_repository import write_slow
from tests.eventually import until
from tests.scaling.autoscaler import Autoscaler, Rule
from tests.scaling.workers import Replicas, now_s
from tests.soak.cluster import Cluster
from tests.soak.keeper import Keeper

GROUP = "default"
BACKLOG = re.compile(rf'^attribution_group_backlog_seconds{{group="{GROUP}"}} (\S+)$', re.MULTILINE)
RULE = Rule(target=10.0, most=3, cooldown_s=5.0, stabilisation_s=5.0, up_period_s=1.0)  # shortened; target as it is
POLL_S = 0.5
JOBS = 60  # of a burst, some 80 s of one worker's work
LIMIT_S = 300.0  # that tells a hang
KILL_AT = 2  # workers that take jobs when one of them is killed
KILL_GAP_S = 5.0  # between two deaths
VARIABLES = {"ATTRIBUTION_RESULT_TTL_S": "3600", "ATTRIBUTION_LEASE_MS": "2000", "ATTRIBUTION_LOG_LEVEL": "info"}
BODY: dict[str, Any] = {  # 2,002 rows; the model takes some 20 ms for each pass of 32, and no CPU for it
    "model": "slow",
    "input": {"tensor": {"shape": [1, 4], "data": [1.0, -1.0, 0.5, 2.0]}},
    "method": {"name": "integrated_gradients", "n_steps": 2000},
    "target": 1,
}


@dataclass(frozen=True)
class Look:
    """What the controller saw and decided. `workers`: processes that exist; `awake`: those that take jobs."""

    at_s: float
    backlog_s: float
    wanted: int
    workers: int
    awake: int


@dataclass
class Burst:
    """Times in seconds since its first request. `starts_in_s`: what the service said then."""

    began_at_s: float
    jobs: int
    starts_in_s: float | None = None
    first_answer_s: float = 0.0
    last_answer_s: float = 0.0
    back_to_none_s: float = 0.0
    most_workers: int = 0
    killed: int = 0
    statuses: dict[str, int] = field(default_factory=dict)


@dataclass
class Report:
    """`succeeded`: how often each worker ended a job; `ended_twice`: jobs that two workers ended."""

    looks: list[Look] = field(default_factory=list)
    bursts: list[Burst] = field(default_factory=list)
    succeeded: dict[str, int] = field(default_factory=dict)
    ended_twice: int = 0
    faults: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "rule": asdict(RULE), "jobs": JOBS}


class Controller:
    """Reads the metric at each poll, and scales the workers by it. `kills_left`: workers that it kills meanwhile."""

    def __init__(self, client: httpx.AsyncClient, replicas: Replicas) -> None:
        self.looks: list[Look] = []
        self.kills_left = 0
        self._client = client
        self._replicas = replicas
        self._autoscaler = Autoscaler(RULE)
        self._killed_at_s = 0.0

    async def run(self) -> None:
        """For ever."""
        while True:
            await self.look()
            await asyncio.sleep(POLL_S)

    async def look(self) -> None:
        """Polls once, and does what follows from it."""
        backlog_s, awake = await self._metric(), await self._awake()
        wanted = self._autoscaler.desired(now_s(), [backlog_s], len(self._replicas.wanted))
        self._replicas.scale(wanted)
        self.looks.append(Look(now_s(), backlog_s, wanted, self._replicas.running, awake))
        if self.kills_left and awake >= KILL_AT and now_s() > self._killed_at_s + KILL_GAP_S:
            self.kills_left -= 1
            self._killed_at_s = now_s()
            self._replicas.wanted[-1].send(signal.SIGKILL)

    async def _metric(self) -> float:
        found = BACKLOG.search((await self._client.get("/metrics")).text)
        return float(found[1]) if found else 0.0

    async def _awake(self) -> int:
        (model,) = (await self._client.get("/models")).json()["models"]
        return sum(one["status"] == "ready" for one in model["residence"])


async def run_bursts(folder: Path) -> Report:
    """Runs both bursts in a service of its own, and checks what became of every job."""
    report = Report()
    cluster = Cluster(folder, gateways=1, workers=1, variables=VARIABLES, models=write_slow)
    async with httpx.AsyncClient(base_url=cluster.urls[0], timeout=60, trust_env=False) as client:
        replicas = Replicas(lambda name: cluster.worker(f"scaled-{name}"))
        async with cluster:
            await _leave_asleep(client, cluster)
            controller = Controller(client, replicas)
            async with _running(controller):
                for number in range(2):
                    report.bursts.append(await _burst(client, controller, kills=1 + number))
            report.looks = controller.looks
            await replicas.stop()
        _count_ends(report, replicas.all)
        report.faults += cluster.defects()
        report.faults += (
            f"{one.name} ended by itself: {death}" for one in replicas.all for death in one.deaths if not death.wanted
        )
    return report


@asynccontextmanager
async def _running(controller: Controller) -> Any:
    task = asyncio.create_task(controller.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if not task.cancelled() and task.exception() is not None:
            raise task.exception()  # type: ignore[misc]


async def _leave_asleep(client: httpx.AsyncClient, cluster: Cluster) -> None:
    """The worker that has made the model known leaves."""
    (first,) = cluster.workers
    await first.stop()
    await until("the model sleeps", lambda: _status_is(client, "asleep"))


async def _status_is(client: httpx.AsyncClient, status: str) -> bool:
    models = (await client.get("/models")).json()["models"]
    return [one["status"] for one in models] == [status]


async def _burst(client: httpx.AsyncClient, controller: Controller, kills: int) -> Burst:
    """Many jobs at once; ends when no worker is left."""
    began_s = now_s()
    burst = Burst(began_s, JOBS, killed=kills)
    controller.kills_left = kills
    answers = [await client.post("/explain", json=BODY, headers={"Cache-Control": "no-store"}) for _ in range(JOBS)]
    if {one.status_code for one in answers} != {httpx.codes.ACCEPTED}:
        raise RuntimeError(f"refused: {Counter(one.status_code for one in answers)}")
    burst.starts_in_s = answers[0].json().get("starts_in_s")
    waiting = {one.json()["links"]["self"] for one in answers}
    statuses: Counter[str] = Counter()
    async with asyncio.timeout(LIMIT_S):
        while waiting:
            for job in sorted(waiting):
                status = (await client.get(job)).json()["status"]
                if status in {"succeeded", "failed", "cancelled"}:
                    waiting.discard(job)
                    statuses[status] += 1
                    burst.last_answer_s = now_s() - began_s
                    burst.first_answer_s = burst.first_answer_s or burst.last_answer_s
            await asyncio.sleep(POLL_S)

    async def none_is_left() -> bool:
        return controller.looks[-1].workers == 0

    await until("no worker is left", none_is_left)
    burst.back_to_none_s = now_s() - began_s
    burst.most_workers = max(look.wanted for look in controller.looks if look.at_s >= began_s)
    burst.statuses = dict(statuses)
    burst.killed -= controller.kills_left
    return burst


def _count_ends(report: Report, workers: list[Keeper]) -> None:
    ends: Counter[str] = Counter()
    for worker in workers:
        lines = [orjson.loads(line) for line in worker.log.read_bytes().splitlines() if line.startswith(b"{")]
        jobs = [line["job"] for line in lines if line.get("event") == "job succeeded"]
        report.succeeded[worker.name] = len(jobs)
        ends.update(jobs)
    report.ended_twice = sum(count > 1 for count in ends.values())
