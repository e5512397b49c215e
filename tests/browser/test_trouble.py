"""What goes wrong while somebody uses the page: an outage, a job that fails or is cancelled, a key."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.acts import CAT_CLASS, choose_kind, choose_method, drop_cat, explain, is_drawn, prediction, the_map
from tests.browser.conftest import Served
from tests.browser.fragile_repository import LINGERS, RAISES
from tests.browser.gateways import gateway
from tests.browser.interruption import LOST, Interruption
from tests.browser.visit import PHONE, Visit, Visits
from tests.browser.words import word
from tests.service.keys import key, write_keys

SECRET = "a-key-of-the-tests"
STEPS = "400"  # of 20 ms each where the model lingers


def choose_fragile(visit: Visit, **values: float) -> Page:
    """The model `fragile`, with these values in its row and 400 steps."""
    page = visit.open()
    choose_kind(visit, "features")
    page.get_by_role("button", name=word(visit.language, "row.mean"), exact=True).click()
    page.get_by_role("combobox", name=word(visit.language, "model"), exact=True).select_option("fragile")
    for name, value in values.items():
        page.get_by_role("spinbutton", name=name).fill(str(value))
    return page


def progress(visit: Visit) -> Locator:
    return visit.page.get_by_role("group", name=word(visit.language, "progress.label"))


def explain_for_long(visit: Visit, patience: float) -> Page:
    """A job that takes some seconds; `patience` makes it one that no other test has sent."""
    page = choose_fragile(visit, patience=patience, width=LINGERS)
    expect(prediction(visit, "left")).to_be_visible()
    page.get_by_role("spinbutton", name="n_steps").fill(STEPS)
    explain(visit)
    expect(progress(visit)).to_contain_text(re.compile(r"\d"))  # rows done
    return page


@pytest.mark.parametrize("language", ["en", "es"])
def test_an_outage_while_a_job_runs(visits: Visits, served: Served, language: str) -> None:
    address = urlsplit(served.url)
    with Interruption((address.hostname or "", address.port or 0)) as way:
        visit = visits(way.url, language=language)
        visit.expect(LOST)
        page = explain_for_long(visit, {"en": 2.0, "es": 3.0}[language])
        way.cut()
        expect(progress(visit)).to_contain_text(word(language, "progress.lost"))
        way.mend()
        expect(page.get_by_role("table").get_by_role("row", name=re.compile("^patience"))).to_be_visible()
        expect(progress(visit)).to_have_count(0)


def test_an_outage_before_a_request_is_said_and_passes(visits: Visits, served: Served) -> None:
    address = urlsplit(served.url)
    with Interruption((address.hostname or "", address.port or 0)) as way:
        visit = visits(way.url, language="es", width=PHONE)
        visit.expect(LOST)
        page = visit.open()
        drop_cat(visit)
        expect(prediction(visit, CAT_CLASS)).to_be_visible()
        choose_method(visit, "saliency")
        way.cut()
        explain(visit)
        expect(page.get_by_role("alert")).to_contain_text(word("es", "problem.lost"))
        way.mend()
        explain(visit)
        is_drawn(the_map(visit))
        expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_job_that_fails_says_why(visits: Visits, language: str) -> None:
    visit = visits(language=language)
    page = choose_fragile(visit, patience=RAISES)
    said = page.get_by_role("alert").first
    expect(said).to_be_visible()
    expect(said).not_to_contain_text("Traceback")
    explain(visit)
    expect(page.get_by_role("alert")).to_have_count(2)  # of the predictions, and of the explanation
    page.get_by_role("spinbutton", name="patience").fill("1")
    expect(prediction(visit, "left")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_job_that_is_cancelled(visits: Visits, served: Served) -> None:
    visit = visits(language="es")
    page = explain_for_long(visit, 4.0)
    job = page.url.rsplit("/", 1)[-1]
    progress(visit).get_by_role("button", name=word("es", "cancel")).click()
    expect(page.get_by_text(word("es", "try.cancelled"))).to_be_visible()
    assert httpx.get(f"{served.url}/jobs/{job}").json()["status"] == "cancelled"
    expect(page.get_by_role("button", name=word("es", "try.explain"), exact=True)).to_be_enabled()


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_key_is_asked_for_and_kept_in_the_tab(visits: Visits, served: Served, tmp_path: Path, language: str) -> None:
    keys = write_keys(tmp_path, key("teacher", SECRET))
    with gateway(served.store.url, tmp_path / "log", ATTRIBUTION_KEYS=str(keys)) as url:
        visit = visits(url, language=language)
        visit.expect("status of 401")
        page = visit.open()
        dialog = page.get_by_role("dialog", name=word(language, "key.title"))
        field = dialog.get_by_label(word(language, "key.label"))
        use = dialog.get_by_role("button", name=word(language, "key.use"))
        field.fill("a wrong one")
        use.click()
        expect(dialog).to_contain_text(word(language, "key.refused"))
        field.fill(SECRET)
        use.click()
        expect(dialog).to_be_hidden()
        drop_cat(visit)
        choose_method(visit, "saliency")
        explain(visit)
        is_drawn(the_map(visit))  # drawn by the service, which asks for the key there too
        assert SECRET not in page.url
        assert SECRET not in page.evaluate("() => JSON.stringify(localStorage) + document.cookie")
        page.reload()
        is_drawn(the_map(visit))
        expect(dialog).to_be_hidden()
        visit.close()  # before the gateway is gone: the page may still be asking where the map is strongest
    assert SECRET not in (tmp_path / "log").read_text()
