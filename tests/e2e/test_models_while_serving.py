"""Models are loaded and unloaded while the service runs jobs on other models, with real processes."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from broker import JobStore
from schemas.model_key import ModelKey
from tests.e2e.running import RunningService
from tests.e2e.serving_repository import BUDGET_KIB, KIB, LARGE_KIB, add_large, add_version, add_waiting
from tests.e2e.test_failures import request_of, until, workers
from tests.servers import StoreServer
from tests.service.keys import key, write_keys

pytestmark = pytest.mark.anyio
KEY = "a-key-of-the-tests"
WAIT_S = 60


@dataclass(frozen=True)
class Serving:
    service: RunningService
    store: StoreServer
    folder: Path

    @property
    def models(self) -> Path:
        return self.folder / "models"


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """One worker with memory for one of two large models, and version 1 of `slow`."""
    folder = tmp_path_factory.mktemp("serving")
    add_version(folder / "models", "1")
    for name in ("left", "right"):
        add_large(folder / "models", name)
    with StoreServer("valkey") as store:
        variables = {
            "ATTRIBUTION_REDIS_URL": store.url,
            "ATTRIBUTION_THREADS": "1",
            "ATTRIBUTION_BATCH_ROWS": "8",
            "ATTRIBUTION_LEASE_MS": "1000",
            "ATTRIBUTION_KEYS": str(folder / "keys.toml"),
            "ATTRIBUTION_MODEL_MEMORY": f"{BUDGET_KIB}KiB",
        }
        write_keys(folder, key("operator", KEY, scopes=["admin", "explain", "metrics"]))
        service = RunningService(folder / "log", "--models", str(folder / "models"), variables=variables)
        try:
            service.wait_until_ready()
            yield Serving(service, store, folder)
        finally:
            code = service.stop()
        assert code == 0, service.log_tail()
        assert KEY not in service.log.read_text()


@pytest.fixture
async def store(serving: Serving) -> AsyncIterator[JobStore]:
    store = JobStore(serving.store.url)
    yield store
    await store.close()


@pytest.fixture
async def client(serving: Serving) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Cache-Control": "no-store", "Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(base_url=serving.service.url, timeout=2 * WAIT_S, headers=headers) as client:
        yield client


async def admin_command(client: httpx.AsyncClient, path: str, **query: str) -> dict[str, str]:
    """Loads or unloads a model, waits for the workers, and returns the status of each version."""
    answer = await client.post(f"/models/{path}", params={"wait": WAIT_S, **query})
    assert answer.status_code == 200, answer.text
    assert answer.json()["done"]
    return {model["version"]: model["status"] for model in answer.json()["models"]}


async def submit(client: httpx.AsyncClient, **fields: object) -> str:
    answer = await client.post("/explain", json=request_of(**fields))  # type: ignore[arg-type]
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


async def ended(store: JobStore, job_id: str) -> str:
    """Waits for the end of a job. Returns `succeeded`, or the code of its error."""
    record = await until(store, job_id, lambda r: r.status in {"succeeded", "failed"})
    return record.error.code if record.error else record.status


async def test_a_second_version_is_loaded_while_jobs_run_on_the_first(
    client: httpx.AsyncClient, store: JobStore, serving: Serving
) -> None:
    long = await submit(client, steps=1_500)
    await until(store, long, lambda r: r.done > 0)
    add_version(serving.models, "2", seed=2)
    add_version(serving.models, "10", seed=10)
    (serving.models / "slow-10" / "model.py").write_text("raise RuntimeError('no weights')\n")
    assert await admin_command(client, "slow/load") == {"1": "ready", "2": "ready", "10": "failed"}
    assert (await store.jobs.get(long)).status == "running"

    newest = (await client.post("/explain?wait=60", json=request_of())).json()
    older = (await client.post("/explain?wait=60", json=request_of(version="1"))).json()
    results = [(await client.get(job["links"]["result"])).json() for job in (newest, older)]
    assert [result["model"]["version"] for result in results] == ["2", "1"]
    assert results[0]["model"]["digest"] != results[1]["model"]["digest"]
    assert results[0]["attributions"] != results[1]["attributions"]
    for job in (newest, older):
        picture = await client.get(job["links"]["result"], headers={"Accept": "image/png"})
        assert picture.status_code in {200, 406}
    refused = await client.post("/explain", json=request_of(version="10"))
    assert (refused.status_code, "no weights" in refused.text) == (503, True)

    assert [(await client.get("/models/slow", params=which)).json()["version"] for which in ({}, {"version": "1"})] == [
        "2",
        "1",
    ]
    listed = (await client.get("/jobs?model=slow&version=2")).json()["jobs"]
    assert [job["id"] for job in listed] == [newest["id"]]
    assert len((await client.get("/jobs?model=slow")).json()["jobs"]) == 3
    assert await ended(store, long) == "succeeded"


async def test_new_weights_are_not_answered_from_old_results(client: httpx.AsyncClient, serving: Serving) -> None:
    async def ask() -> dict[str, Any]:
        cached = {"Cache-Control": "max-age=3600"}
        job = (await client.post("/explain?wait=60", json=request_of(version="1"), headers=cached)).json()
        result: dict[str, Any] = (await client.get(job["links"]["result"])).json()
        return result

    before, again = await ask(), await ask()
    assert again["cache"] == "hit"
    model = serving.models / "slow-1" / "model.py"
    model.write_text(model.read_text().replace("manual_seed(0)", "manual_seed(11)"))
    assert await admin_command(client, "slow/load", version="1") == {"1": "ready"}
    after = await ask()
    assert after["cache"] is None
    assert after["model"]["digest"] != before["model"]["digest"]
    assert after["attributions"] != before["attributions"]


async def test_unloading_finishes_what_runs_and_refuses_what_waits(
    client: httpx.AsyncClient, store: JobStore, serving: Serving
) -> None:
    long = (submit(client, steps=160, version="2") for _ in range(24))  # a worker runs 16 of a model at once
    jobs = await asyncio.gather(*long)
    first = [asyncio.create_task(until(store, job_id, lambda r: r.status != "queued")) for job_id in jobs]
    await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
    for task in first:
        task.cancel()
    assert await admin_command(client, "slow/unload", version="2") == {"2": "unloaded"}
    outcomes = [await ended(store, job_id) for job_id in jobs]
    assert set(outcomes) == {"succeeded", "model_unloaded"}
    refused = await client.post("/explain", json=request_of(version="2"))
    assert (refused.status_code, refused.json()["title"]) == (409, "The model is unloaded")
    done = (await client.post("/explain?wait=60", json=request_of())).json()  # the highest that serves
    assert (await client.get(done["links"]["result"])).json()["model"]["version"] == "1"
    assert await admin_command(client, "slow/load", version="2") == {"2": "ready"}
    assert (await client.post("/explain?wait=60", json=request_of(version="2"))).json()["status"] == "succeeded"


async def test_models_that_do_not_fit_take_turns(client: httpx.AsyncClient, store: JobStore) -> None:
    names = ("left", "right", "slow", "right", "left") * 4
    jobs = [await submit(client, steps=20, model=name) for name in names]
    assert {await ended(store, job_id) for job_id in jobs} == {"succeeded"}
    async with asyncio.timeout(WAIT_S):  # a worker announces what has changed a moment later
        while True:
            (info,) = await store.workers.live()
            left, right = info.residence[ModelKey("left", "1")], info.residence[ModelKey("right", "1")]
            if sorted([left.status, right.status]) == ["idle", "ready"]:
                break
            await asyncio.sleep(0.05)
    assert left.evictions + right.evictions >= 1
    assert left.bytes == right.bytes
    assert LARGE_KIB * KIB < (left.bytes or 0) < BUDGET_KIB * KIB
    metrics = (await client.get("/metrics")).text
    assert re.search(r'attribution_worker_evictions_total\{model="(left|right)@1",worker="[^"]+"\} [1-9]', metrics)
    assert re.search(r'attribution_model_status\{model="(left|right)@1",status="idle",worker="[^"]+"\} 1', metrics)


def command(serving: Serving, *arguments: str, secret: str = KEY) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "cli", "models", *arguments],
        capture_output=True,
        text=True,
        timeout=2 * WAIT_S,
        check=False,
        env={**os.environ, "ATTRIBUTION_URL": serving.service.url, "ATTRIBUTION_KEY": secret, "COLUMNS": "120"},
    )


def test_the_command_lists_loads_and_unloads(serving: Serving) -> None:
    listed = command(serving, "list")
    assert listed.returncode == 0, listed.stderr
    rows = {tuple(line.split()[:3]) for line in listed.stdout.splitlines()}
    assert ("slow", "2", "ready") in rows
    assert "no weights" in listed.stdout
    assert "150." in listed.stdout, "the memory of the large ones"
    unloaded = command(serving, "unload", "slow", "--version", "2")
    assert unloaded.returncode == 0, unloaded.stderr
    assert unloaded.stdout.splitlines()[1].split()[:3] == ["slow", "2", "unloaded"]
    wrong = command(serving, "load", "slow", secret="not-the-key-of-it")
    assert (wrong.returncode, "401" in wrong.stderr) == (2, True)
    assert command(serving, "load", "slow", secret="").returncode == 2


async def test_a_worker_killed_during_a_load_loses_nothing(
    client: httpx.AsyncClient, store: JobStore, serving: Serving
) -> None:
    (before,) = (await workers(store, 1)).values()
    running = await submit(client, steps=600, version="1")
    add_waiting(serving.models)
    assert (await client.post("/models/waiting/load")).status_code == 202
    async with asyncio.timeout(WAIT_S):
        while not (serving.folder / "entered").exists():  # noqa: ASYNC110  # a file has no events
            await asyncio.sleep(0.02)
    await until(store, running, lambda r: r.status == "running" and r.done > 0)
    assert (await client.get("/models/waiting")).json()["status"] == "loading"
    os.kill(before, signal.SIGKILL)
    (serving.folder / "go").touch()
    assert await ended(store, running) == "succeeded"
    assert (await store.jobs.get(running)).attempts == 2
    async with asyncio.timeout(WAIT_S):  # the successor loads the model of the running job first
        while (await client.get("/models/waiting")).json()["status"] != "ready":  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    answer = await client.post("/explain?wait=60", json=request_of(model="waiting"))
    assert answer.json()["status"] == "succeeded", answer.text
    card = (await client.get("/models/slow?version=2")).json()
    assert card["status"] == "unloaded", "the worker that came after it honours that"
