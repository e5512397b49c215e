"""axe-core on every view, in both themes."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.acts import (
    CAT_CLASS,
    choose_kind,
    choose_method,
    drop_cat,
    explain,
    guess,
    is_drawn,
    prediction,
    the_map,
)
from tests.browser.axe import SCRIPT, grave_findings
from tests.browser.visit import PHONE, Theme, Visit, Visits
from tests.browser.words import pattern, word


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


def comparison(visit: Visit) -> None:
    visit.open("#/compare")
    choose_kind(visit, "text")
    visit.page.get_by_role("group", name=word(visit.language, "samples")).get_by_role("button").first.click()
    expect(visit.page.get_by_role("group", name=word(visit.language, "predictions.label"))).to_be_visible()
    visit.page.get_by_role("button", name=pattern(visit.language, "compare.start")).click()
    expect(visit.page.get_by_role("heading", name=word(visit.language, "agreement.title"))).to_be_visible()
    pair = pattern(visit.language, "agreement.pair").pattern
    visit.page.get_by_role("button", name=re.compile(rf"^{pair}: [\d.,-]+$")).first.click()
    expect(visit.page.get_by_role("region", name=pattern(visit.language, "agreement.pair"))).to_be_focused()


def path(visit: Visit) -> None:
    visit.open("#/learn/path")
    drop_cat(visit)
    guess(visit, "path")


def advice(visit: Visit) -> None:
    visit.open("#/learn/choose")
    expect(visit.page.get_by_role("table")).to_be_visible()


VIEWS: list[Callable[[Visit], None]] = [empty, picture, text, table, comparison, path, advice]


@pytest.mark.parametrize(("language", "width", "theme"), [("en", 1280, "light"), ("es", PHONE, "dark")])
@pytest.mark.parametrize("view", VIEWS)
def test_nothing_grave(visits: Visits, view: Callable[[Visit], None], language: str, width: int, theme: Theme) -> None:
    visit = visits(language=language, width=width, theme=theme, scripts=[SCRIPT])
    view(visit)
    assert grave_findings(visit.page) == []
