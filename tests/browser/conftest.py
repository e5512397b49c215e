"""One service and one browser for all tests of the page, and visits that end without a fault."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, expect, sync_playwright

from tests.browser.chromium import ARGUMENTS, chromium
from tests.browser.fragile_repository import write_fragile_repository
from tests.browser.visit import LIMIT_MS, Visit, Visits
from tests.e2e.running import RunningService
from tests.servers import StoreServer


@dataclass(frozen=True)
class Served:
    """The service of these tests, and the store under it, which other gateways may share."""

    service: RunningService
    store: StoreServer

    @property
    def url(self) -> str:
        return self.service.url


# The scope is the package: Playwright's event loop runs between these tests, and later tests run loops of their own.
@pytest.fixture(scope="package")
def served(tmp_path_factory: pytest.TempPathFactory, measurements: Path) -> Iterator[Served]:
    """The three shipped models, and `fragile`."""
    folder = tmp_path_factory.mktemp("page")
    models = write_fragile_repository(folder / "models")
    with StoreServer("valkey") as store:
        variables = {"ATTRIBUTION_REDIS_URL": store.url}
        directories = ("--models", "models", "--models", str(models))
        service = RunningService(
            folder / "log", *directories, variables=variables, measurements=measurements, standby=False
        )
        try:
            service.wait_until_ready()
            yield Served(service, store)
        finally:
            code = service.stop()
        assert code == 0, service.log_tail()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    expect.set_options(timeout=LIMIT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def visits(browser: Browser, served: Served) -> Iterator[Visits]:
    """Opens visits to the shared service. After the test no visit may have an unexpected fault."""
    visits = Visits(browser, served.url)
    try:
        yield visits
        assert not visits.faults
    finally:
        visits.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Adds to the report of a failed test what its pages showed, and the service's log."""
    report = yield
    arguments: dict[str, object] = getattr(item, "funcargs", {})
    visits, served, folder = (arguments.get(name) for name in ("visits", "served", "tmp_path"))
    if report.failed and report.when == "call" and isinstance(visits, Visits):
        for number, visit in enumerate(visits.opened):
            report.sections.append((f"visit {number}", shown(visit, folder if isinstance(folder, Path) else None)))
    if report.failed and isinstance(served, Served):
        report.sections.append(("log of the service", served.service.log_tail()))
    return report


def shown(visit: Visit, folder: Path | None) -> str:
    """The address, the faults and the text of a page; a screenshot goes to `folder`."""
    try:
        lines = [visit.page.url, *visit.faults, visit.page.locator("body").inner_text(timeout=1000)]
        if folder is not None:
            picture = folder / f"page-{id(visit)}.png"
            visit.page.screenshot(path=picture, full_page=True, timeout=5000)
            lines.append(f"screenshot: {picture}")
    except Error as error:  # the page may be gone
        lines = [f"the page cannot be shown: {error}"]
    return "\n".join(lines)
