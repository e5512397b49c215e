"""One running service for all end-to-end tests. The report of a failure includes its log."""

from collections.abc import Generator, Iterator

import httpx
import pytest

from tests.e2e.captum_repository import write_captum_repository
from tests.e2e.output_repository import write_output_repository
from tests.e2e.running import RunningService

LIMIT_S = 60.0


@pytest.fixture(scope="session")
def running_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """The service with the three shipped models, for the whole session. A test that harms it starts its own."""
    service = RunningService(tmp_path_factory.mktemp("service") / "log", "--models", "models")
    try:
        service.wait_until_ready()
        yield service
    finally:
        code = service.stop()
    assert code == 0, service.log_tail()


@pytest.fixture(scope="session")
def service(running_service: RunningService) -> str:
    """The base URL of the shared service."""
    return running_service.url


@pytest.fixture(scope="session")
def toys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of a service that has only toy models: Captum's own, and some with other kinds of outputs."""
    folder = tmp_path_factory.mktemp("toys")
    models = write_output_repository(write_captum_repository(folder / "models"))
    service = RunningService(folder / "log", "--models", str(models))
    try:
        service.wait_until_ready()
        with httpx.Client(base_url=service.url, timeout=LIMIT_S) as client:
            yield client
    finally:
        service.stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Adds the service's log to the report of a failed test that uses it."""
    report = yield
    running = getattr(item, "funcargs", {}).get("running_service")
    if report.failed and isinstance(running, RunningService):
        report.sections.append(("log of the service", running.log_tail()))
    return report
