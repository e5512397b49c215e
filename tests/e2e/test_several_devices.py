"""Workers of devices of different speed that hold one model, as real processes: who gets which jobs."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
import redis

from tests.e2e.parts import GatewayPart
from tests.e2e.watching import LIMIT_S, ended, job, submit, until
from tests.paths import ROOT
from tests.servers import StoreServer

STEPS = 50
BATCH_ROWS = 16
MODEL_TOML = """
name = "linear"
factory = "model.py:build"
[input]
kind = "tensor"
shapes = [[4]]
"""
MODEL_PY = """
from torch import nn

def build():
    return nn.Linear(4, 3)
"""


@pytest.fixture
def store() -> Iterator[StoreServer]:
    with StoreServer("valkey") as server:
        yield server


@pytest.fixture
def client(store: StoreServer, tmp_path: Path) -> Iterator[httpx.Client]:
    headers = {"Cache-Control": "no-store"}
    with (
        GatewayPart(tmp_path / "gateway", store) as gateway,
        httpx.Client(
            base_url=gateway.wait_until_alive().url, timeout=LIMIT_S, headers=headers, trust_env=False
        ) as client,
    ):
        yield client


class Devices:
    """Starts workers on stand-in devices."""

    def __init__(self, store: StoreServer, folder: Path, stack: ExitStack) -> None:
        self._store, self._folder, self._stack = store, folder, stack
        linear = folder / "models" / "linear"
        linear.mkdir(parents=True)
        (linear / "model.toml").write_text(MODEL_TOML)
        (linear / "model.py").write_text(MODEL_PY)

    def start(self, name: str, rows_per_s: float) -> None:
        """A worker that looks for jobs."""
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("ATTRIBUTION_")}
        own = {
            "ATTRIBUTION_REDIS_URL": self._store.url,
            "ATTRIBUTION_MODELS": str(self._folder / "models"),
            "ATTRIBUTION_DEVICE": "cpu",
            "ATTRIBUTION_THREADS": "1",
            "ATTRIBUTION_BATCH_ROWS": str(BATCH_ROWS),
            "ATTRIBUTION_WORKER_ID": name,
            "STAND_IN_ROW_S": str(1 / rows_per_s),
        }
        log = self._stack.enter_context((self._folder / name).open("wb"))
        command = [sys.executable, "-m", "tests.e2e.stand_in_worker"]
        process = subprocess.Popen(command, cwd=ROOT, env={**inherited, **own}, stdout=log, stderr=log)
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        with redis.Redis.from_url(self._store.url) as raw:
            until(lambda: raw.exists(f"attribution:worker:{name}"), name)
            if raw.zcard("attribution:workers") > 1:  # a worker alone tells nobody what it has to compute
                until(lambda: raw.hexists("attribution:claimers:linear@1", name), f"the first claim of {name}")

    def of(self, job_id: str) -> str:
        """The worker that a job was given to last."""
        with redis.Redis.from_url(self._store.url, decode_responses=True) as raw:
            return str(raw.hget(f"attribution:job:{job_id}", "token")).rpartition(":")[0]

    def starts(self, job_id: str) -> int:
        """How often a job was given to a worker."""
        with redis.Redis.from_url(self._store.url, decode_responses=True) as raw:
            return int(raw.hget(f"attribution:job:{job_id}", "starts") or 0)


@pytest.fixture
def devices(store: StoreServer, tmp_path: Path) -> Iterator[Devices]:
    with ExitStack() as stack:
        yield Devices(store, tmp_path, stack)


def test_jobs_go_to_the_worker_where_their_rows_wait_least(client: httpx.Client, devices: Devices) -> None:
    """One holds twenty seconds of rows, of a job that it cannot share. It has room for 31 jobs more."""
    devices.start("busy", rows_per_s=100)
    long = submit(client, 0.0, 2_000, "linear")
    until(lambda: job(client, long)["progress"]["done"], "progress")
    devices.start("free", rows_per_s=100)
    jobs = []
    for number in range(1, 13):
        jobs.append(submit(client, float(number), 10, "linear"))
        assert ended(client, jobs[-1])["status"] == "succeeded"
    assert job(client, long)["status"] == "running"
    client.delete(f"/jobs/{long}")
    assert [devices.of(job_id) for job_id in [long, *jobs]] == ["busy", *["free"] * len(jobs)]


def test_the_faster_device_gets_the_larger_share(client: httpx.Client, devices: Devices) -> None:
    """In proportion to the speed: four fifths of the jobs where it is four times as fast, within a tenth of them. None
    goes to one device first and is handed over then."""
    devices.start("fast", rows_per_s=400)
    devices.start("slow", rows_per_s=100)
    for first, count in ((0, 30), (100, 60)):  # before the first jobs, nobody knows how fast the devices are
        jobs = [submit(client, float(first + number), STEPS, "linear") for number in range(count)]
        assert {ended(client, job_id)["status"] for job_id in jobs} == {"succeeded"}
    share = [devices.of(job_id) for job_id in jobs].count("fast") / len(jobs)
    assert share == pytest.approx(0.8, abs=0.1)
    assert {devices.starts(job_id) for job_id in jobs} == {1}
