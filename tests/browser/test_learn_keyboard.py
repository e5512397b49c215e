"""The whole of Learn by keyboard alone: from the sample picture to the last step, in both languages."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.acts import CAT_CLASS, is_drawn, prediction, without_ring
from tests.browser.test_learn_view import STEPS
from tests.browser.visit import Visit, Visits
from tests.browser.words import word

LIMIT = 60  # presses of Tab from one thing to the next
# Whether the focus has gone to something that stands before what had it, in the document or on the screen.
BEGIN = "() => { window.lastFocused = document.activeElement; }"
WENT_BACK = """
() => {
  const [before, now] = [window.lastFocused, document.activeElement];
  window.lastFocused = now;
  if (!before?.isConnected || before === document.body || now === document.body || before.contains(now)) return null;
  const follows = before.compareDocumentPosition(now) & Node.DOCUMENT_POSITION_FOLLOWING;
  return follows ? null : `${before.outerHTML.slice(0, 100)} -> ${now.outerHTML.slice(0, 100)}`;
}
"""


def walk_to(page: Page, target: Locator) -> None:
    """Press Tab until the target has the focus. On the way the focus is seen, and never goes back."""
    page.evaluate(BEGIN)
    for _ in range(LIMIT):
        page.keyboard.press("Tab")
        assert without_ring(page) is None
        assert page.evaluate(WENT_BACK) is None
        if target.evaluate("(element) => element === document.activeElement"):
            return
    raise AssertionError(f"{LIMIT} presses of Tab do not reach {target}")


def answer(visit: Visit, step: str) -> None:
    """Choose the second answer, show the result, and wait for all of it. The focus goes to what has been answered."""
    page, language = visit.page, visit.language
    walk_to(page, page.get_by_role("radio", name=word(language, f"learn.{step}.a"), exact=True))
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name=word(language, f"learn.{step}.b"), exact=True)).to_be_checked()
    walk_to(page, page.get_by_role("button", name=word(language, "learn.guess.show"), exact=True))
    page.keyboard.press("Enter")
    expect(page.locator(".guess.is-answered")).to_be_focused()
    expect(page.get_by_role("heading", name=word(language, "learn.happened"))).to_be_visible()
    expect(page.get_by_role("group", name=word(language, "progress.label"))).to_have_count(0)
    expect(page.get_by_role("alert")).to_have_count(0)
    for picture in page.get_by_role("main").locator("img").all():
        is_drawn(picture)


def use(visit: Visit, step: str) -> None:
    """Move what a step offers to be moved."""
    page, language = visit.page, visit.language
    if step in ("path", "layers"):
        slider = page.get_by_role("slider", name=word(language, f"learn.{step}.slider"))
        walk_to(page, slider)
        before = slider.get_attribute("aria-valuetext")
        page.keyboard.press("ArrowRight" if step == "path" else "ArrowLeft")
        expect(slider).not_to_have_attribute("aria-valuetext", before or "")
    if step == "shap":
        walk_to(page, page.get_by_role("radio", name=word(language, "learn.baseline.blur"), exact=True))
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("radio", name=word(language, "learn.baseline.black"), exact=True)).to_be_checked()


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_whole_walk(visits: Visits, language: str) -> None:
    visit = visits(language=language)
    page = visit.open("#/learn")
    sample = page.get_by_role("button", name=word(language, "picture.sample"))
    expect(sample).to_be_visible()
    walk_to(page, sample)
    page.keyboard.press("Enter")
    expect(prediction(visit, CAT_CLASS)).to_be_visible()
    walk_to(page, prediction(visit, "tabby"))
    page.keyboard.press("Space")
    expect(prediction(visit, "tabby")).to_have_attribute("aria-pressed", "true")
    for step in STEPS[:-1]:
        answer(visit, step)
        use(visit, step)
        assert page.locator("[tabindex]:not([tabindex='0']):not([tabindex='-1'])").count() == 0
        following = STEPS[STEPS.index(step) + 1]
        name = f"{word(language, 'learn.next')} {word(language, f'learn.{following}.short')}"
        walk_to(page, page.get_by_role("link", name=name, exact=True))
        page.keyboard.press("Enter")
        title = page.get_by_role("heading", name=word(language, f"learn.{following}.title"), level=1)
        expect(title).to_be_focused()
    walk_to(page, page.get_by_role("radio", name=word(language, "learn.choose.detail.pixels"), exact=True))
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name=word(language, "learn.choose.detail.regions"), exact=True)).to_be_checked()
    walk_to(page, page.get_by_role("link", name=word(language, "learn.choose.compare"), exact=True))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#/compare$"))
