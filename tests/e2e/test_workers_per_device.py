"""Several worker processes of one device, as one command starts them."""

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from tests.e2e.parts import GatewayPart, Part
from tests.e2e.running import RunningService
from tests.e2e.toy_repository import write_slow
from tests.e2e.watching import LIMIT_S, ended, job, submit, until, worker_pids
from tests.servers import StoreServer

SHORT, LONG = 40, 2_000  # steps, of 16 rows a pass, which takes 20 ms


class Workers(Part):
    """`attribution worker --workers-per-device 2`."""

    def __init__(self, log: Path, store: StoreServer, models: Path, **variables: str) -> None:
        self.id = f"worker-{secrets.token_hex(4)}"
        self.variables = {
            "ATTRIBUTION_WORKER_ID": self.id,
            "ATTRIBUTION_THREADS": "2",
            "ATTRIBUTION_BATCH_ROWS": "16",
            "ATTRIBUTION_WORKERS_PER_DEVICE": "2",
            **variables,
        }
        self._store = store
        super().__init__(log, store, "worker", "--models", str(models), variables=self.variables)

    def serving(self) -> set[str]:
        """The ids under which its processes are registered now."""
        with redis.Redis.from_url(self._store.url, decode_responses=True) as raw:
            return {name for name in raw.zrange("attribution:workers", 0, -1) if name.startswith(self.id)}

    def wait_until_serving(self, *births: str) -> None:
        """Returns once exactly these of its processes are registered."""
        wanted = {f"{self.id}-{birth}" for birth in births}
        until(lambda: self.serving() >= wanted or not self.is_running(), f"{wanted}")
        assert self.is_running(), self.log.read_text(errors="replace")[-8000:]

    def pids(self) -> dict[str, int]:
        """Of the processes that were started last, by the name of the child."""
        return {entry["child"]: entry["pid"] for entry in self.told("started")}


@pytest.fixture(scope="module")
def store() -> Iterator[StoreServer]:
    with StoreServer("valkey") as server:
        yield server


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("per-device") / "models"
    write_slow(directory)
    return directory


@pytest.fixture(scope="module")
def client(store: StoreServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    headers = {"Cache-Control": "no-store"}
    with (
        GatewayPart(tmp_path_factory.mktemp("gateway") / "log", store) as gateway,
        httpx.Client(
            base_url=gateway.wait_until_alive().url, timeout=LIMIT_S, headers=headers, trust_env=False
        ) as client,
    ):
        yield client


def kept(store: StoreServer, job_id: str) -> tuple[str, str]:
    """The worker that a job was given to last, and how many of its attempts count."""
    with redis.Redis.from_url(store.url, decode_responses=True) as raw:
        token, attempts = raw.hmget(f"attribution:job:{job_id}", "token", "attempts")
    return str(token).rpartition(":")[0], str(attempts)


def environment(pid: int) -> dict[str, str]:
    pairs = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return dict(pair.decode().split("=", 1) for pair in pairs if b"=" in pair)


def health(workers: Workers, store: StoreServer) -> int:
    command = [sys.executable, "-P", "-m", "cli", "worker", "--health"]
    variables = {**os.environ, **workers.variables, "ATTRIBUTION_REDIS_URL": store.url}
    return subprocess.run(command, env=variables, capture_output=True, timeout=LIMIT_S, check=False).returncode


def test_both_take_jobs_one_that_is_killed_is_replaced_and_all_end_together(
    store: StoreServer, models: Path, client: httpx.Client, tmp_path: Path
) -> None:
    with Workers(tmp_path / "w", store, models, ATTRIBUTION_GRACE_S="60") as workers:
        workers.wait_until_serving("0-1", "1-1")
        assert health(workers, store) == 0
        for pid in workers.pids().values():
            told = environment(pid)
            assert (told["ATTRIBUTION_THREADS"], told["ATTRIBUTION_WORKERS_PER_DEVICE"]) == ("1", "2")

        jobs = [submit(client, 1 + number / 100, SHORT) for number in range(40)]
        assert {ended(client, job_id)["status"] for job_id in jobs} == {"succeeded"}
        assert {kept(store, job_id)[0] for job_id in jobs} == {f"{workers.id}-0-1", f"{workers.id}-1-1"}

        jobs = [submit(client, float(number), LONG) for number in range(4)]
        until(lambda: all(job(client, job_id)["progress"]["done"] for job_id in jobs), "progress of all")
        before = workers.pids()
        dead = next(owner for job_id in jobs if (owner := kept(store, job_id)[0]))
        number = dead.removeprefix(f"{workers.id}-").partition("-")[0]
        os.kill(before[f"worker {number} (auto)"], signal.SIGKILL)
        workers.wait_until_serving(f"{number}-2")
        assert {ended(client, job_id)["status"] for job_id in jobs} == {"succeeded"}
        after = workers.pids()
        assert [name for name in before if before[name] != after[name]] == [f"worker {number} (auto)"]

        running = submit(client, 99.0, LONG)
        until(lambda: job(client, running)["progress"]["done"], "progress")
        workers.signal()
        until(lambda: len(workers.told("worker stopping")) == 2, "both know of it")
        late = submit(client, 98.0, SHORT)
        assert workers.ended() == 0
        assert job(client, running)["status"] == "succeeded", "it had its grace"
        assert (job(client, late)["status"], kept(store, late)[1]) == ("queued", "0")
        assert workers.serving() == set(), "they have left the registry"
        client.delete(f"/jobs/{late}")


def test_a_second_signal_hands_all_back_now(
    store: StoreServer, models: Path, client: httpx.Client, tmp_path: Path
) -> None:
    with Workers(tmp_path / "w", store, models, ATTRIBUTION_GRACE_S="3600") as workers:
        workers.wait_until_serving("0-1", "1-1")
        jobs = [submit(client, float(number), LONG) for number in range(2)]
        until(lambda: all(job(client, job_id)["progress"]["done"] for job_id in jobs), "progress")
        workers.signal(signal.SIGINT)
        done = job(client, jobs[0])["progress"]["done"]
        until(lambda: job(client, jobs[0])["progress"]["done"] > done, "progress within the grace")
        assert workers.is_running()
        workers.signal(signal.SIGTERM)
        assert workers.ended() == 0
        for job_id in jobs:
            assert (job(client, job_id)["status"], kept(store, job_id)[1]) == ("queued", "0")
            client.delete(f"/jobs/{job_id}")


@pytest.mark.parametrize(
    "variables", [{"ATTRIBUTION_SERVE": "unknown"}, {"ATTRIBUTION_THREADS": "many"}, {"ATTRIBUTION_GRACE_S": "long"}]
)
def test_a_wrong_setting_ends_all_with_2(
    store: StoreServer, models: Path, tmp_path: Path, variables: dict[str, str]
) -> None:
    with Workers(tmp_path / "w", store, models, **variables) as workers:
        assert workers.ended() == 2
        assert next(iter(variables)) in workers.log.read_text()


def test_serve_starts_as_many_on_each_device(models: Path, tmp_path: Path) -> None:
    variables = {"ATTRIBUTION_DEVICE": "cpu", "ATTRIBUTION_LOG_FORMAT": "json"}
    arguments = ("--models", str(models), "--workers-per-device", "2")
    service = RunningService(tmp_path / "log", *arguments, variables=variables, standby=False)
    try:
        service.wait_until_ready()
        pids = worker_pids(service)
        assert len(pids) == 2
        assert {environment(pid)["ATTRIBUTION_WORKERS_PER_DEVICE"] for pid in pids} == {"2"}
        until(lambda: _workers(service) == 2, "both workers")
    finally:
        assert service.stop() == 0


def _workers(service: RunningService) -> int:
    ready: dict[str, Any] = httpx.get(f"{service.url}/readyz", trust_env=False).json()
    return int(ready["workers"])
