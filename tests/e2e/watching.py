"""What a running service's log and jobs show, polled: another process sends no events here."""

import json
import time
from collections.abc import Callable
from typing import Any

import httpx

from tests.e2e.running import RunningService

LIMIT_S = 240.0


def logged(service: RunningService, event: str) -> list[dict[str, Any]]:
    """The lines of the log with this event."""
    lines = service.log.read_text(errors="replace").splitlines()
    return [entry for line in lines if line.startswith("{") and (entry := json.loads(line)).get("event") == event]


def until(found: Callable[[], Any], what: str) -> Any:
    """The first true value."""
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        if value := found():
            return value
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come")


def job(client: httpx.Client, job_id: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/jobs/{job_id}").json()
    return found


def submit(client: httpx.Client, value: float, steps: int, model: str = "slow") -> str:
    """A job of Integrated Gradients that differs from others by `value`. Returns its id."""
    body = {
        "model": model,
        "input": {"tensor": {"shape": [1, 4], "data": [value, -1.0, 0.5, 2.0]}},
        "method": {"name": "integrated_gradients", "n_steps": steps},
        "target": 1,
    }
    response = client.post("/explain", json=body)
    assert response.status_code == 202, response.text
    return str(response.json()["id"])


def ended(client: httpx.Client, job_id: str) -> dict[str, Any]:
    found: dict[str, Any] = until(
        lambda: (one := job(client, job_id))["status"] in {"succeeded", "failed"} and one, "the end of the job"
    )
    return found


def worker_pids(service: RunningService) -> list[int]:
    """Of the only worker, in the order of their lives."""
    return [entry["pid"] for entry in logged(service, "started") if entry["child"].startswith("worker")]
