"""One running service with the shipped models for all tests of this folder. A failure's report includes its log."""

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.e2e.running import RunningService


@pytest.fixture(scope="package")
def running_service(tmp_path_factory: pytest.TempPathFactory, measurements: Path) -> Iterator[RunningService]:
    """The service with the three shipped models. A test that harms it starts its own."""
    log = tmp_path_factory.mktemp("service") / "log"
    service = RunningService(log, "--models", "models", measurements=measurements, standby=False)
    try:
        service.wait_until_ready()
        yield service
    finally:
        code = service.stop()
    assert code == 0, service.log_tail()


@pytest.fixture(scope="package")
def service(running_service: RunningService) -> str:
    """The base URL of the shared service."""
    return running_service.url


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Adds the service's log to the report of a failed test that uses it."""
    report = yield
    running = getattr(item, "funcargs", {}).get("running_service")
    if report.failed and isinstance(running, RunningService):
        report.sections.append(("log of the service", running.log_tail()))
    return report
