"""Several gateways on one socket: each answers by itself, and any of them tells the counts of all."""

import os
import re
import signal
from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.running import RunningService
from tests.e2e.toy_repository import write_repository
from tests.e2e.watching import LIMIT_S, logged, until

EACH = 5  # requests that each gateway answers, of a route that nothing else asks for
COUNT = re.compile(rb'^attribution_http_requests_total\{.*route="/methods",.*\} ([0-9.]+)$', re.MULTILINE)
SECONDS = re.compile(rb'^attribution_http_request_seconds_count\{.*route="/methods"\} ([0-9.]+)$', re.MULTILINE)


@pytest.fixture
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    folder = tmp_path_factory.mktemp("gateways")
    models = write_repository(folder / "models")
    service = RunningService(folder / "log", "--models", str(models), "--gateways", "2", "--no-standby")
    try:
        service.wait_until_ready()
        yield service
    finally:
        assert service.stop() == 0, service.log_tail()


def gateway_pids(service: RunningService) -> list[int]:
    """Of the gateways that run, by name."""
    pids = {entry["child"]: entry["pid"] for entry in logged(service, "started")}
    return [pid for child, pid in sorted(pids.items()) if child.startswith("gateway")]


def get(service: RunningService, path: str) -> bytes:
    """The body, over a connection of its own, which whichever gateway runs accepts."""
    response = httpx.get(service.url + path, timeout=LIMIT_S, trust_env=False)
    assert response.status_code == 200
    return response.content


def alone(stopped: int, service: RunningService, path: str, times: int) -> list[bytes]:
    """What the other gateway answers while this one is stopped."""
    os.kill(stopped, signal.SIGSTOP)
    try:
        return [get(service, path) for _ in range(times)]
    finally:
        os.kill(stopped, signal.SIGCONT)


def counted(metrics: bytes) -> tuple[float, float]:
    """Requests for methods, by the counter and by the histogram."""
    return float(COUNT.findall(metrics)[0]), float(SECONDS.findall(metrics)[0])


def test_each_gateway_answers_and_tells_the_requests_of_both(service: RunningService) -> None:
    pids = gateway_pids(service)
    assert len(pids) == 2
    for pid in pids:
        alone(pid, service, "/methods", EACH)
    told = [alone(pid, service, "/metrics", 1)[0] for pid in pids]
    assert [counted(one) for one in told] == [(2 * EACH, 2 * EACH)] * 2
    assert all(
        one.count(b"# TYPE attribution_http_requests ") + one.count(b"# TYPE attribution_http_requests_total ") == 1
        for one in told
    )


def test_the_counts_of_a_gateway_that_dies_stay_and_another_takes_its_place(service: RunningService) -> None:
    first, second = gateway_pids(service)
    alone(second, service, "/methods", EACH)
    os.kill(first, signal.SIGKILL)
    pids = until(lambda: (now := gateway_pids(service)) and first not in now and now, "a new gateway")
    for pid in pids:
        answers = alone(pid, service, "/metrics", 1)
        assert counted(answers[0]) == (EACH, EACH)
