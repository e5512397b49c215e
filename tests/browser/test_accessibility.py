"""axe-core on every view, in both themes."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.acts import CAT_CLASS, choose_kind, choose_method, drop_cat, explain, is_drawn, prediction, the_map
from tests.browser.axe import SCRIPT, grave_findings
from tests.browser.visit import PHONE, Theme, Visit, Visits
from tests.browser.words import word


def empty(visit: Visit) -> None:
    visit.open()
    expect(visit.page.get_by_text(word(visit.language, "picture.hint"))).to_be_visible()


def picture(visit: Visit) -> None:
    visit.open()
    drop_cat(visit)
    expect(prediction(visit, CAT_CLASS)).to_be_visible()
    choose_method(visit, "saliency")
    explain(visit)
    is_drawn(the_map(visit))


def text(visit: Visit) -> None:
    visit.open()
    choose_kind(visit, "text")
    visit.page.get_by_role("group", name=word(visit.language, "samples")).get_by_role("button").first.click()
    explain(visit)
    expect(visit.page.get_by_text(word(visit.language, "facts.title"))).to_be_visible()


def table(visit: Visit) -> None:
    visit.open()
    choose_kind(visit, "features")
    visit.page.get_by_role("button", name=word(visit.language, "row.sample"), exact=True).click()
    explain(visit)
    expect(visit.page.get_by_role("table")).to_be_visible()


VIEWS: list[Callable[[Visit], None]] = [empty, picture, text, table]


@pytest.mark.parametrize(("language", "width", "theme"), [("en", 1280, "light"), ("es", PHONE, "dark")])
@pytest.mark.parametrize("view", VIEWS)
def test_nothing_grave(visits: Visits, view: Callable[[Visit], None], language: str, width: int, theme: Theme) -> None:
    visit = visits(language=language, width=width, theme=theme, scripts=[SCRIPT])
    view(visit)
    assert grave_findings(visit.page) == []
