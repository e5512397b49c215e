"""Workers and gateways that are told to stop while they have work, as real processes."""

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from tests.e2e.parts import GatewayPart, WorkerPart
from tests.e2e.toy_repository import MODEL_PY, write_repository
from tests.e2e.watching import LIMIT_S, ended, job, until
from tests.servers import StoreServer

SHORT = 40  # steps, of 16 rows a pass, which takes 20 ms; the longest job takes 5 s
GRACE_S = 60.0


@pytest.fixture(scope="module")
def store() -> Iterator[StoreServer]:
    with StoreServer("valkey") as server:
        yield server


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_repository(tmp_path_factory.mktemp("draining") / "models")


@pytest.fixture(scope="module")
def gateway(store: StoreServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayPart]:
    with GatewayPart(tmp_path_factory.mktemp("gateway") / "log", store) as gateway:
        yield gateway.wait_until_alive()


@pytest.fixture
def client(gateway: GatewayPart) -> Iterator[httpx.Client]:
    headers = {"Cache-Control": "no-store"}
    with httpx.Client(base_url=gateway.url, timeout=LIMIT_S, headers=headers, trust_env=False) as client:
        yield client


def body(value: float, steps: int) -> dict[str, Any]:
    return {
        "model": "slow",
        "input": {"tensor": {"shape": [1, 4], "data": [value, -1.0, 0.5, 2.0]}},
        "method": {"name": "integrated_gradients", "n_steps": steps},
        "target": 1,
    }


def submit(client: httpx.Client, value: float, steps: int) -> str:
    response = client.post("/explain", json=body(value, steps))
    assert response.status_code == 202, response.text
    return str(response.json()["id"])


def wait_until_running(client: httpx.Client, job_id: str) -> None:
    until(lambda: job(client, job_id)["progress"]["done"] > 0, "progress")


def attempts(store: StoreServer, job_id: str) -> str:
    """How many attempts of a job count, as stored: after its end, that of the worker which ended it included."""
    with redis.Redis.from_url(store.url, decode_responses=True) as raw:
        return str(raw.hget(f"attribution:job:{job_id}", "attempts"))


def test_a_running_job_ends_within_the_grace_and_what_is_submitted_meanwhile_is_not_claimed(
    store: StoreServer, models: Path, client: httpx.Client, tmp_path: Path
) -> None:
    with WorkerPart(tmp_path / "w", store, models, ATTRIBUTION_GRACE_S=str(GRACE_S)) as worker:
        worker.wait_until_serving()
        running = submit(client, 1.0, 2_000)
        wait_until_running(client, running)
        worker.signal()
        until(lambda: worker.told("worker stopping"), "it knows")
        late = submit(client, 2.0, SHORT)
        assert ended(client, running)["status"] == "succeeded"
        assert worker.ended() == 0
        assert job(client, late)["status"] == "queued"
        assert attempts(store, late) == "0"
    with WorkerPart(tmp_path / "heir", store, models) as heir:
        assert ended(client, late)["status"] == "succeeded"
        assert attempts(store, late) == "1"
        assert heir.stop() == 0


def test_jobs_that_outlive_the_grace_are_handed_back_at_the_same_attempt(
    store: StoreServer, models: Path, client: httpx.Client, tmp_path: Path
) -> None:
    with WorkerPart(tmp_path / "w", store, models, ATTRIBUTION_GRACE_S="0.2") as worker:
        worker.wait_until_serving()
        jobs = [submit(client, float(number), 2_000) for number in range(3)]
        wait_until_running(client, jobs[0])
        assert worker.stop() == 0
        for job_id in jobs:
            assert job(client, job_id)["status"] == "queued"
            assert attempts(store, job_id) == "0"
        assert client.get("/models/slow").json()["status"] == "asleep", "it has left the registry"
    with WorkerPart(tmp_path / "heir", store, models) as heir:
        assert {ended(client, job_id)["status"] for job_id in jobs} == {"succeeded"}
        assert {attempts(store, job_id) for job_id in jobs} == {"1"}
        assert not heir.told("job_taken_over"), "a first attempt, as if nobody had tried"
        assert heir.stop() == 0


def test_a_second_signal_hands_all_back_now(
    store: StoreServer, models: Path, client: httpx.Client, tmp_path: Path
) -> None:
    with WorkerPart(tmp_path / "w", store, models, ATTRIBUTION_GRACE_S="3600") as worker:
        worker.wait_until_serving()
        running = submit(client, 1.0, 2_000)
        wait_until_running(client, running)
        worker.signal(signal.SIGINT)
        done = job(client, running)["progress"]["done"]
        until(lambda: job(client, running)["progress"]["done"] > done, "progress within the grace")
        assert worker.is_running()
        worker.signal(signal.SIGTERM)
        assert worker.ended() == 0
        assert (job(client, running)["status"], attempts(store, running)) == ("queued", "0")
        client.delete(f"/jobs/{running}")


def test_a_job_that_hangs_in_its_model_does_not_keep_the_worker(
    store: StoreServer, client: httpx.Client, tmp_path: Path
) -> None:
    repository = write_repository(tmp_path / "models")
    hangs = "        if bool((x == 31.0).any()):\n            time.sleep(3600)\n        time.sleep(0.02)\n"
    (repository / "slow" / "model.py").write_text(MODEL_PY.replace("        time.sleep(0.02)\n", hangs))
    with WorkerPart(tmp_path / "w", store, repository, ATTRIBUTION_GRACE_S="0.1") as worker:
        worker.wait_until_serving()
        hanging = submit(client, 31.0, SHORT)
        until(lambda: job(client, hanging)["status"] == "running", "its start")
        assert worker.stop() == 0
        assert (job(client, hanging)["status"], attempts(store, hanging)) == ("queued", "0")
        client.delete(f"/jobs/{hanging}")


def test_a_worker_that_still_loads_ends_at_once(store: StoreServer, tmp_path: Path) -> None:
    repository = write_repository(tmp_path / "models")
    entered = tmp_path / "entered"
    builds = f"def build():\n    pathlib.Path({str(entered)!r}).touch()\n    time.sleep(3600)\n"
    (repository / "slow" / "model.py").write_text(f"import pathlib, time\n\n{builds}")
    with WorkerPart(tmp_path / "w", store, repository) as worker:
        until(entered.exists, "the load")
        began_s = time.monotonic()
        assert worker.stop() == 0
        assert time.monotonic() - began_s < 10


def test_a_worker_without_work_ends_at_once(store: StoreServer, models: Path, tmp_path: Path) -> None:
    with WorkerPart(tmp_path / "w", store, models, ATTRIBUTION_GRACE_S="3600") as worker:
        worker.wait_until_serving()
        assert worker.stop() == 0


def test_a_gateway_that_stops_answers_clients_that_wait_with_202(
    store: StoreServer, gateway: GatewayPart, tmp_path: Path
) -> None:
    with GatewayPart(tmp_path / "g", store) as stopping:
        stopping.wait_until_alive()
        answers: list[httpx.Response] = []

        def ask() -> None:
            query = {"wait": "60"}
            answers.append(
                httpx.post(
                    f"{stopping.url}/explain", params=query, json=body(5.0, SHORT), timeout=LIMIT_S, trust_env=False
                )
            )

        asking = threading.Thread(target=ask)
        asking.start()  # no worker lives, so the job waits
        with httpx.Client(base_url=gateway.url, trust_env=False) as other:
            until(lambda: other.get("/jobs?status=queued&model=slow").json()["jobs"], "the job")
            began_s = time.monotonic()
            stopping.signal()
            asking.join(LIMIT_S)
            assert time.monotonic() - began_s < 30
            (answer,) = answers
            assert answer.status_code == 202
            assert other.get(answer.json()["links"]["self"]).json()["status"] == "queued"
            other.delete(answer.json()["links"]["self"])
        assert stopping.ended() in (0, -signal.SIGTERM)
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{stopping.url}/healthz", trust_env=False)
