"""Try without a mouse, and with what a screen reader gets."""

import re

from playwright.sync_api import expect

from tests.browser.acts import CAT_CLASS, is_drawn, prediction, tab_to, the_map, without_ring
from tests.browser.visit import Visits
from tests.browser.words import word


def test_from_the_first_key_to_the_map(visits: Visits) -> None:
    visit = visits()
    page = visit.open()
    sample = page.get_by_role("button", name=word("en", "picture.sample"))
    expect(sample).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name=word("en", "skip"))).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    tab_to(page, sample)
    page.keyboard.press("Enter")
    expect(prediction(visit, CAT_CLASS)).to_be_visible()
    tab_to(page, prediction(visit, "tabby"))
    page.keyboard.press("Space")
    expect(prediction(visit, "tabby")).to_have_attribute("aria-pressed", "true")
    method = page.get_by_role("combobox", name=word("en", "method"), exact=True)
    tab_to(page, method)
    page.keyboard.type("Saliency")
    expect(method).to_have_value("saliency")
    button = page.get_by_role("button", name=word("en", "try.explain"), exact=True)
    tab_to(page, button)
    page.keyboard.press("Enter")
    is_drawn(the_map(visit))
    expect(the_map(visit)).to_have_accessible_name(re.compile("tabby"))
    style = page.get_by_role("radio", name=word("en", "style.blend"))
    tab_to(page, style)
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name=word("en", "style.heatmap"))).to_be_checked()


def test_the_focus_is_seen(visits: Visits) -> None:
    visit = visits()
    page = visit.open()
    expect(page.get_by_role("button", name=word("en", "picture.sample"))).to_be_visible()
    unseen = []
    for _ in range(15):
        page.keyboard.press("Tab")
        unseen.append(without_ring(page))
    assert not any(unseen), unseen


def test_the_language_is_kept_and_the_page_says_it(visits: Visits) -> None:
    visit = visits(language="en")
    page = visit.open()
    languages = page.get_by_role("group", name=word("en", "language"))
    languages.get_by_role("button", name="ES", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(word("es", "try.title"))
    expect(page.locator("html")).to_have_attribute("lang", "es")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text(word("es", "try.title"))


def test_the_light_is_kept(visits: Visits) -> None:
    visit = visits(theme="light")
    page = visit.open()
    ground = "() => getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(ground)
    switch = page.get_by_role("button", name=re.compile(f"^{word('en', 'theme')}:"))
    while word("en", "theme.dark") not in (switch.get_attribute("aria-label") or ""):
        switch.click()
    dark = page.evaluate(ground)
    assert dark != light
    page.reload()
    expect(switch).to_be_visible()
    assert page.evaluate(ground) == dark
