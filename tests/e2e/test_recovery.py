"""Workers that are killed or hang, as `serve` replaces them: with real processes."""

import base64
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.running import ROOT, RunningService
from tests.e2e.toy_repository import MODEL_PY, MODEL_TOML

LIMIT_S = 240.0
STEPS = 200
RECOVERY_S = 60.0  # a bound that tells a hang; the figure of a quiet machine is in docs/reliability.md
HANGS_AT = 31.0


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    service = RunningService(tmp_path_factory.mktemp("recovery") / "log", "--models", "models")
    try:
        service.wait_until_ready()
        yield service
    finally:
        service.stop()


@pytest.fixture
def client(service: RunningService) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.url, timeout=LIMIT_S, headers={"Cache-Control": "no-store"}) as client:
        yield client


def logged(service: RunningService, pattern: str) -> list[str]:
    return re.findall(pattern, service.log.read_text(errors="replace"))


def until(found: Callable[[], Any], what: str) -> Any:
    """The first true value; polled, since logs and jobs of another process send no events here."""
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        if value := found():
            return value
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come")


def job(client: httpx.Client, job_id: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/jobs/{job_id}").json()
    return found


def ended(client: httpx.Client, job_id: str) -> dict[str, Any]:
    found: dict[str, Any] = until(
        lambda: (one := job(client, job_id))["status"] in {"succeeded", "failed"} and one, "the end of the job"
    )
    return found


def worker_pids(service: RunningService) -> list[int]:
    """Of worker 0, in the order of their lives."""
    return [
        int(pid)
        for pid in logged(service, r"child=['\"]?worker 0[^\n]*pid=(\d+)|\"child\": \"worker 0[^\n]*\"pid\": (\d+)")
        for pid in pid
        if pid
    ]


def test_a_killed_workers_job_ends_soon(service: RunningService, client: httpx.Client) -> None:
    picture = base64.b64encode((ROOT / "models/efficientnet-lite0/chelsea.jpg").read_bytes()).decode()
    body = {
        "model": "efficientnet-lite0",
        "input": {"image": picture},
        "method": {"name": "integrated_gradients", "n_steps": STEPS},
    }
    began_s = time.monotonic()
    undisturbed = ended(client, client.post("/explain", json=body).json()["id"])
    undisturbed_s = time.monotonic() - began_s
    assert undisturbed["status"] == "succeeded"
    standby = int(until(lambda: logged(service, r"standby started[^\n]*?pid\W+(\d+)"), "the standby")[0])
    began_s = time.monotonic()
    job_id = client.post("/explain", json=body).json()["id"]
    until(lambda: job(client, job_id)["progress"]["done"] > STEPS // 4, "progress")
    os.kill(worker_pids(service)[0], signal.SIGKILL)
    assert ended(client, job_id)["status"] == "succeeded"
    more_s = time.monotonic() - began_s - undisturbed_s
    print(f"undisturbed {undisturbed_s:.1f} s, killed {more_s:.1f} s more")
    assert worker_pids(service)[1] == standby
    assert logged(service, "worker replaced")
    assert more_s < RECOVERY_S
