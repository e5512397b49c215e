"""Workers that are killed or hang, as `serve` replaces them: with real processes."""

import os
import signal
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.running import RunningService
from tests.e2e.toy_repository import MODEL_PY, write_repository
from tests.e2e.watching import LIMIT_S, ended, job, logged, submit, until, worker_pids

STEPS = 400  # of 16 rows a pass, which takes 20 ms
HANGS_AT = 31.0
STALL_S = 2.0


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """One worker with the slow model, which hangs at 31."""
    folder = tmp_path_factory.mktemp("recovery")
    models = write_repository(folder / "models")
    hangs = f"        if bool((x == {HANGS_AT}).any()):\n            time.sleep(3600)\n        time.sleep(0.02)\n"
    (models / "slow" / "model.py").write_text(MODEL_PY.replace("        time.sleep(0.02)\n", hangs))
    variables = {"ATTRIBUTION_THREADS": "1", "ATTRIBUTION_BATCH_ROWS": "16", "ATTRIBUTION_STALL_S": str(STALL_S)}
    service = RunningService(folder / "log", "--models", str(models), "--workers", "1", variables=variables)
    try:
        service.wait_until_ready()
        yield service
    finally:
        service.stop()


@pytest.fixture
def client(service: RunningService) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.url, timeout=LIMIT_S, headers={"Cache-Control": "no-store"}) as client:
        yield client


def test_a_killed_workers_job_goes_on_in_the_process_that_stands_by(
    service: RunningService, client: httpx.Client
) -> None:
    began_s = time.monotonic()
    undisturbed = ended(client, submit(client, 1.0, STEPS))
    undisturbed_s = time.monotonic() - began_s
    assert undisturbed["status"] == "succeeded"
    standby = until(lambda: logged(service, "standby ready"), "the standby")[0]["pid"]
    began_s = time.monotonic()
    job_id = submit(client, 1.0, STEPS)
    until(lambda: job(client, job_id)["progress"]["done"] > STEPS // 4, "progress")
    os.kill(worker_pids(service)[0], signal.SIGKILL)
    assert ended(client, job_id)["status"] == "succeeded"
    print(f"undisturbed {undisturbed_s:.1f} s, killed {time.monotonic() - began_s - undisturbed_s:.1f} s more")
    assert worker_pids(service)[1] == standby
    assert [entry["given_back"] for entry in logged(service, "worker replaced")] == [1]
    (taken,) = logged(service, "job_taken_over")
    assert (taken["job"], taken["attempt"]) == (job_id, 2)


def test_a_job_that_hangs_three_times_fails_and_the_service_goes_on(
    service: RunningService, client: httpx.Client
) -> None:
    innocent = submit(client, 2.0, STEPS)
    hanging = submit(client, HANGS_AT, 20)
    failed = ended(client, hanging)
    assert (failed["status"], failed["error"]["code"]) == ("failed", "stalled")
    assert ended(client, innocent)["status"] == "succeeded"
    assert ended(client, submit(client, 3.0, 20))["status"] == "succeeded"
    stalls = [entry for entry in logged(service, "job stalled") if entry["job"] == hanging]
    assert [entry["attempt"] for entry in stalls] == [1, 2, 3]
    assert all("in forward" in entry["pass_stack"] for entry in stalls)
    causes = [entry["cause"] for entry in logged(service, "died")]
    assert causes.count("exit code 75") == 3
