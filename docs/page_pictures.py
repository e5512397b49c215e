"""Takes the README's four pictures of the page from a running service: `python docs/page_pictures.py [URL]`.

Writes `docs/images/page-*.jpg`. `URL` is `http://127.0.0.1:8000` by default. Needs Chromium and the extra `test`.
"""

import sys
from pathlib import Path

from playwright.sync_api import Locator, Page, sync_playwright

from tests.browser.chromium import ARGUMENTS, chromium

OUT = Path(__file__).parent / "images"
WIDTH_PX, HEIGHT_PX, TALL_PX, MARGIN_PX = 1280, 960, 1330, 24
TIMEOUT_MS = 120_000
SHARE_OF_PATH = 0.25  # of the slider: the picture is still dark, and the score has risen already


def take_try(page: Page) -> None:
    page.goto("#/try")
    page.get_by_role("button", name="Use the cat").click()
    page.get_by_role("combobox", name="Method", exact=True).select_option("integrated_gradients")
    page.get_by_role("button", name="Explain", exact=True).click()
    page.locator(".server-picture img").wait_for()
    page.wait_for_load_state("networkidle")
    shoot(page, "try", page.get_by_role("button", name="Use the cat"))


def take_compare(page: Page) -> None:
    page.goto("#/compare")
    page.get_by_role("button", name="Use the cat").click()
    page.get_by_role("button", name="Compare (5)").click()
    page.get_by_role("heading", name="How far do they agree?").wait_for()
    page.wait_for_load_state("networkidle")
    page.set_viewport_size({"width": WIDTH_PX, "height": TALL_PX})
    shoot(page, "compare", page.get_by_role("heading", name="Why “Egyptian cat”?"))


def take_learn(page: Page) -> None:
    page.goto("#/learn/path")
    page.get_by_role("button", name="Use the cat").click()
    page.get_by_role("button", name="Show it without guessing").click()
    slider = page.get_by_role("slider")
    slider.wait_for()
    slider.fill(str(round(SHARE_OF_PATH * int(slider.get_attribute("max") or 0))))
    page.wait_for_load_state("networkidle")
    page.set_viewport_size({"width": WIDTH_PX, "height": TALL_PX})
    shoot(page, "learn", page.get_by_role("group", name="Points on the path"))


def take_text(page: Page) -> None:
    page.goto("#/try")
    page.get_by_role("radio", name="Text").check(force=True)
    page.get_by_role("button", name="The film looks gorgeous").click()
    page.get_by_role("combobox", name="Method", exact=True).select_option("integrated_gradients")
    page.get_by_role("button", name="Explain", exact=True).click()
    page.get_by_role("heading", name="How far to trust it").wait_for()
    shoot(page, "text", page.get_by_role("textbox", name="Text"))


def shoot(page: Page, name: str, top: Locator) -> None:
    """The window from this element down."""
    top.evaluate("(element, margin) => scrollTo(0, element.getBoundingClientRect().top + scrollY - margin)", MARGIN_PX)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=OUT / f"page-{name}.jpg", type="jpeg", quality=88)


def main(url: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        for take in (take_try, take_compare, take_learn, take_text):
            context = browser.new_context(
                base_url=url, locale="en-GB", viewport={"width": WIDTH_PX, "height": HEIGHT_PX}, reduced_motion="reduce"
            )
            context.set_default_timeout(TIMEOUT_MS)
            take(context.new_page())
            context.close()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000")
