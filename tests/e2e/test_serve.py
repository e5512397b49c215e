"""`attribution serve` when its processes are killed, and when it is stopped."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.e2e.running import ROOT, RunningService
from tests.servers import StoreServer

MODEL = ROOT / "models" / "breast-cancer-mlp"
LIMIT_S = 240.0  # that tells a hang


@pytest.fixture
def small_repository(tmp_path: Path) -> Path:
    """A model repository with the smallest of the shipped models."""
    models = tmp_path / "models"
    models.mkdir()
    (models / MODEL.name).symlink_to(MODEL)
    return models


@pytest.fixture
def small_service(tmp_path: Path, small_repository: Path) -> Iterator[RunningService]:
    """A service for one test, with the smallest model."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    variables = {"TMPDIR": str(folder), "ATTRIBUTION_LEASE_MS": "2000"}
    with started(tmp_path / "log", small_repository, variables) as service:
        yield service


@contextlib.contextmanager
def started(log: Path, models: Path, variables: dict[str, str]) -> Iterator[RunningService]:
    service = RunningService(log, "--models", str(models), variables=variables)
    try:
        service.wait_until_ready()
        yield service
    finally:
        service.stop()


def pids(service: RunningService, child: str) -> list[int]:
    """The ids of all processes that were started as `child`, oldest first."""
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
    """Polls until `happened()` is true. Fails if the service ends first."""
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


def healthy(store: StoreServer) -> bool:
    """The result of the worker's health check, as a container runs it."""
    command = [sys.executable, "-P", "-m", "cli", "worker", "--health"]
    variables = {**os.environ, "ATTRIBUTION_REDIS_URL": store.url}
    return subprocess.run(command, env=variables, capture_output=True, timeout=LIMIT_S, check=False).returncode == 0


@pytest.mark.slow
def test_a_store_that_is_given_is_used(tmp_path: Path, small_repository: Path) -> None:
    with StoreServer() as store:
        assert not healthy(store)
        with started(tmp_path / "log", small_repository, {"ATTRIBUTION_REDIS_URL": store.url}) as service:
            assert explain(service)["status"] == "succeeded"
            assert pids(service, "valkey") == []
            assert healthy(store)
            assert service.stop() == 0
        assert not healthy(store)


@pytest.mark.slow
@pytest.mark.models
def test_the_demonstration_writes_the_overlay_and_stops(tmp_path: Path) -> None:
    options = ["--demo", "--once", "--port", "0", "--models", str(ROOT / "models")]
    command = [sys.executable, "-P", "-m", "cli", "serve", *options]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ATTRIBUTION_")}
    done = subprocess.run(
        command, cwd=tmp_path, env=inherited, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Starting on ")
    assert lines[1] == "Loaded breast-cancer-mlp, efficientnet-lite0, minilm-sentiment"
    assert lines[2].startswith("Ready on http://127.0.0.1:")
    assert lines[3].startswith("Explaining ")
    assert "Egyptian cat" in done.stdout
    assert lines[-1].split() == ["written", "out/overlay.png"]
    assert "terminal" not in done.stdout
    with Image.open(tmp_path / "out" / "overlay.png") as picture:
        assert picture.format == "PNG"
        assert picture.width == 512
        assert 341 < picture.height < 512  # the sample's proportions, with a caption below


@pytest.mark.slow
@pytest.mark.models
def test_a_demonstration_that_goes_on_says_what_to_try(tmp_path: Path, measurements: Path) -> None:
    options = ("--demo", "--models", str(ROOT / "models"))
    service = RunningService(tmp_path / "log", *options, measurements=measurements, standby=False)
    try:
        service.wait_until_ready()
        assert service.process.stdout is not None
        curl = next(line for line in service.process.stdout if line.startswith("  curl"))
    finally:
        service.stop()
    assert re.fullmatch(r"  curl -F image=@\S+/chelsea\.jpg .*'http://127\.0\.0\.1:\d+/explain\?wait=\d+'\n", curl)
