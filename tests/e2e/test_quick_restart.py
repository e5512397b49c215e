"""A killed worker with the largest shipped model: its successor checks what the first load measured, and goes on."""

import os
import signal
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.running import RunningService
from tests.e2e.watching import LIMIT_S, ended, job, logged, until, worker_pids
from tests.paths import ROOT

MODEL = "efficientnet-lite0"
STEPS = 300
HUNG_S = 120.0  # far more than a load that measures everything takes


@pytest.fixture
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    folder = tmp_path_factory.mktemp("restart")
    models = folder / "models"
    models.mkdir()
    (models / MODEL).symlink_to(ROOT / "models" / MODEL)
    service = RunningService(folder / "log", "--models", str(models), "--workers", "1")
    try:
        service.wait_until_ready()
        yield service
    finally:
        service.stop()


def submit(client: httpx.Client) -> str:
    picture = (ROOT / "models" / MODEL / "chelsea.jpg").read_bytes()
    fields = {"model": MODEL, "method": "integrated_gradients", "n_steps": str(STEPS)}
    response = client.post("/explain", data=fields, files={"image": picture})
    assert response.status_code == 202, response.text
    return str(response.json()["id"])


@pytest.mark.long
@pytest.mark.models
def test_the_successor_of_a_killed_worker_measures_nothing(service: RunningService) -> None:
    with httpx.Client(base_url=service.url, timeout=LIMIT_S, headers={"Cache-Control": "no-store"}) as client:
        began_s = time.monotonic()
        assert ended(client, submit(client))["status"] == "succeeded"
        undisturbed_s = time.monotonic() - began_s
        until(lambda: logged(service, "standby ready"), "the standby")
        assert not logged(service, "measurements reused")
        began_s = time.monotonic()
        job_id = submit(client)
        until(lambda: job(client, job_id)["progress"]["done"] > STEPS // 4, "progress")
        os.kill(worker_pids(service)[0], signal.SIGKILL)
        assert ended(client, job_id)["status"] == "succeeded"
        more_s = time.monotonic() - began_s - undisturbed_s
    print(f"undisturbed {undisturbed_s:.1f} s, killed {more_s:.1f} s more")
    assert [entry["model"] for entry in logged(service, "measurements reused")] == [MODEL]
    assert [entry["given_back"] for entry in logged(service, "worker replaced")] == [1]
    assert more_s < HUNG_S
