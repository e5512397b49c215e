"""`attribution serve` when its processes are killed, and when it is told to stop."""

import contextlib
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.running import ROOT, RunningService

MODEL = ROOT / "models" / "breast-cancer-mlp"
LIMIT_S = 60.0


@pytest.fixture
def small_service(tmp_path: Path) -> Iterator[RunningService]:
    """A service of its own with the smallest model."""
    models = tmp_path / "models"
    models.mkdir()
    (models / MODEL.name).symlink_to(MODEL)
    folder = tmp_path / "tmp"
    folder.mkdir()
    service = RunningService(
        tmp_path / "log", "--models", str(models), variables={"TMPDIR": str(folder), "ATTRIBUTION_LEASE_MS": "2000"}
    )
    try:
        service.wait_until_ready()
        yield service
    finally:
        service.stop()


def pids(service: RunningService, child: str) -> list[int]:
    """The processes that were started as this child, oldest first."""
    return [int(pid) for pid in re.findall(rf'"child": "{child}[^"]*", "pid": (\d+)', service.log.read_text())]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def explain(service: RunningService) -> dict[str, Any]:
    body = {"model": MODEL.name, "input": {"features": json.loads((MODEL / "sample.json").read_text())}}
    answer = httpx.post(f"{service.url}/explain?wait=30", json=body, timeout=LIMIT_S)
    assert answer.status_code == 200, answer.text
    job: dict[str, Any] = answer.json()
    return job


def until(service: RunningService, happened: Callable[[], object]) -> None:
    """Ask again and again until it happened, or the service is gone."""
    deadline = time.monotonic() + LIMIT_S
    while not happened():
        assert time.monotonic() < deadline
        with contextlib.suppress(subprocess.TimeoutExpired):
            raise AssertionError(f"ended with {service.process.wait(timeout=0.05)}")


def ready(service: RunningService) -> bool:
    return httpx.get(f"{service.url}/readyz", timeout=LIMIT_S).status_code == 200


@pytest.mark.slow
def test_killed_processes_come_back_and_a_stop_leaves_nothing(small_service: RunningService) -> None:
    assert explain(small_service)["status"] == "succeeded"

    (gateway,) = pids(small_service, "gateway")
    os.kill(gateway, signal.SIGKILL)
    assert explain(small_service)["status"] == "succeeded"  # the connection waits for the next gateway

    (worker,) = pids(small_service, "worker")
    os.kill(worker, signal.SIGKILL)
    assert explain(small_service)["status"] == "succeeded"

    (store,) = pids(small_service, "valkey")
    os.kill(store, signal.SIGKILL)
    until(small_service, lambda: len(pids(small_service, "valkey")) == 2)
    until(small_service, lambda: ready(small_service))  # the worker has announced itself to the new store
    assert explain(small_service)["status"] == "succeeded"

    started = [pid for child in ("valkey", "gateway", "worker") for pid in pids(small_service, child)]
    assert small_service.stop() == 0
    assert not any(alive(pid) for pid in started)
    assert list(small_service.log.parent.joinpath("tmp").iterdir()) == []
