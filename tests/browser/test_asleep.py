"""The page over a service whose models sleep: it says so, and says no more so once a worker has come."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.acts import choose_kind
from tests.browser.gateways import gateway
from tests.browser.visit import Visits
from tests.browser.words import pattern, word
from tests.servers import StoreServer
from tests.service.cards import ALL_CARDS
from tests.service.double import WorkerDouble


class Sleeping:
    """A gateway whose only worker has measured its start, and left."""

    def __init__(self, url: str, worker: WorkerDouble) -> None:
        self.url, self.worker = url, worker


@pytest.fixture
def sleeping(tmp_path: Path) -> Iterator[Sleeping]:
    with StoreServer("valkey") as store, gateway(store.url, tmp_path / "log") as url:
        worker = WorkerDouble(
            store.url, "attribution", [card.model_copy(update={"start_s": 12.0}) for card in ALL_CARDS]
        )
        worker.queue.registration.retire()
        try:
            yield Sleeping(url, worker)
        finally:
            worker.stop()


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_model_that_sleeps_is_shown_so_until_a_worker_serves_it(
    browser: Browser, sleeping: Sleeping, language: str, tmp_path: Path
) -> None:
    visits = Visits(browser, sleeping.url)
    try:
        visit = visits(language=language)
        page = visit.open()
        choose_kind(visit, "features")
        note = page.get_by_text(pattern(language, "models.asleep.about"))
        expect(note).to_have_text(word(language, "models.asleep.about", time="12 s"))
        page.screenshot(path=tmp_path / f"asleep-{language}.png")
        sleeping.worker.start()
        expect(note).to_have_count(0)
        assert not visits.faults
    finally:
        visits.close()
