"""Answers of which only the head arrives: the page asks again, does nothing twice, and says it in its own words."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, Response, expect

from tests.browser.acts import choose_kind, choose_method, drop_cat, explain, is_drawn, prediction, the_map
from tests.browser.conftest import Served
from tests.browser.interruption import LOST, Interruption
from tests.browser.visit import Visit, Visits
from tests.browser.words import word

ALL = 1_000
POSTS = {"try": rb"POST /explain ", "compare": rb"POST /compare "}  # not that of the predictions, which waits


@pytest.fixture
def way(served: Served) -> Iterator[Interruption]:
    address = urlsplit(served.url)
    with Interruption((address.hostname or "", address.port or 0)) as way:
        yield way


def write(visits: Visits, way: Interruption, language: str, view: str, text: str) -> Visit:
    """A visit to a view in which a text is ready to be explained."""
    visit = visits(way.url, language=language)
    visit.expect(LOST)
    page = visit.open(f"#/{view}")
    choose_kind(visit, "text")
    page.get_by_role("textbox", name=word(language, "text.label")).fill(text)
    expect(button(visit, view)).to_be_enabled()
    if view == "try":
        expect(prediction(visit, "positive")).to_be_visible()
    return visit


def button(visit: Visit, view: str) -> Locator:
    """What sends the request."""
    key = {"try": "try.explain", "compare": "compare.start"}[view]
    name = re.escape(word(visit.language, key)).replace(r"\{count\}", r"\d+")
    return visit.page.get_by_role("button", name=re.compile(f"^{name}$"))


def is_explained(visit: Visit, view: str) -> None:
    """Wait until the view shows what has come of the request."""
    key = {"try": "facts.title", "compare": "agreement.title"}[view]
    expect(visit.page.get_by_text(word(visit.language, key), exact=True)).to_be_visible()
    expect(visit.page.get_by_role("alert")).to_have_count(0)


def says_lost(page: Page, language: str) -> None:
    """Wait until the page says it, in its words alone."""
    said = [word(language, key) for key in ("problem.lost", "problem.lost.detail")]
    expect(page.get_by_role("alert").locator("p")).to_have_text(said)


@pytest.mark.parametrize("view", POSTS)
def test_a_request_whose_answer_is_lost_is_sent_again_and_done_once(
    visits: Visits, way: Interruption, view: str
) -> None:
    visit = write(visits, way, "en", view, f"The answer to {view} gets lost, and nobody minds.")
    answers: list[Response] = []
    visit.page.on("response", lambda answer: answers.append(answer) if answer.request.method == "POST" else None)
    way.lose_answers(POSTS[view], 2)
    button(visit, view).click()
    is_explained(visit, view)
    assert len(answers) == 3
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert len({answer.request.headers["idempotency-key"] for answer in answers}) == 1


@pytest.mark.parametrize("view", POSTS)
@pytest.mark.parametrize("language", ["en", "es"])
def test_an_answer_that_stays_lost_is_said(visits: Visits, way: Interruption, language: str, view: str) -> None:
    visit = write(visits, way, language, view, f"The answers to {view} stay lost in {language}.")
    way.lose_answers(POSTS[view], ALL)
    button(visit, view).click()
    says_lost(visit.page, language)
    way.lose_answers(POSTS[view], 0)
    button(visit, view).click()
    is_explained(visit, view)


@pytest.mark.parametrize("asked", [rb"GET /jobs/[^/ ]+ ", rb"GET /jobs/[^/ ]+/result"])
def test_a_job_is_followed_through_lost_answers(visits: Visits, way: Interruption, asked: bytes) -> None:
    visit = write(visits, way, "en", "try", f"Is {asked.decode()} a fine question?")
    failed: list[str] = []
    visit.page.on("requestfailed", lambda request: failed.append(f"{request.method} {urlsplit(request.url).path} "))
    way.lose_answers(asked, 2)
    explain(visit)
    is_explained(visit, "try")
    assert len([one for one in failed if re.match(asked.decode(), one)]) == 2, failed


def test_a_picture_that_is_lost_is_said_and_asked_for_again(visits: Visits, way: Interruption) -> None:
    visit = visits(way.url, language="es")
    visit.expect(LOST)
    page = visit.open()
    drop_cat(visit)
    choose_method(visit, "saliency")
    way.lose_answers(rb"GET /jobs/[^/ ]+/overlay\.png", 1)
    explain(visit)
    says_lost(page, "es")
    page.get_by_role("button", name=word("es", "again"), exact=True).click()
    is_drawn(the_map(visit))
    expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize("file", [rb"views/compare/Compare\.js", rb"css/compare\.css"])
def test_a_view_that_is_lost_is_said_and_loaded_again(visits: Visits, way: Interruption, file: bytes) -> None:
    visit = visits(way.url, language="es")
    visit.expect(LOST)
    page = visit.open()
    way.lose_answers(rb"GET /static/\S*" + file, 1)
    page.get_by_role("link", name=word("es", "nav.compare"), exact=True).click()
    says_lost(page, "es")
    page.get_by_role("button", name=word("es", "again"), exact=True).click()
    expect(page.get_by_role("heading", name=word("es", "compare.title"))).to_be_visible()
    sheets = page.evaluate("() => [...document.styleSheets].map((sheet) => new URL(sheet.href).pathname)")
    assert [sheet.rsplit("/", 1)[-1] for sheet in sheets].count("compare.css") == 1, sheets
